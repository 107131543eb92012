"""Every role at every address gets the answer of its row, and no address is without one."""

import pytest
from django.conf import settings as site
from django.test import Client

from accounts.models import ThrottleWindow
from tests.gallery.test_sharing import share
from tests.imageshare.roles import ENDS_SESSIONS, ROLES, ROWS
from tests.imageshare.test_every_address import JSON, address, routes


def forms(image) -> dict[str, dict[str, object]]:
    """Return what is posted where more than an empty form tells the roles apart."""
    selected = {"images": [str(image.pk)]}
    acts = ("selected/share", "selected/revoke", "selected/delete", "zip")
    return {f"images/{act}/": selected for act in acts}


@pytest.fixture
def clients(shared_image, alice, bob, carol, mallory, staff) -> dict[str, Client]:
    share(alice, shared_image, carol)
    alice.client.post(f"/images/{shared_image.pk}/revoke/", {"recipient": "carol"})
    locked = Client()
    locked.cookies = bob.sign_in().cookies.copy()
    locked.cookies.pop(site.UNLOCK_COOKIE_NAME)
    of = (Client(), mallory.sign_in(), staff, locked, carol.sign_in(), bob.client, alice.sign_in())
    return dict(zip(ROLES, of, strict=True))


@pytest.fixture
def team(alice, bob, carol) -> str:
    """Alice's, with bob in it; carol was taken out."""
    fields = {"name": "Imaging desk", "members_add": "1"}
    made = alice.sign_in().post("/teams/new/", fields, headers=JSON)
    place = made.json()["url"]
    alice.client.post(f"{place}share/", {"recipients": ["bob", "carol"]}, headers=JSON)
    alice.client.post(f"{place}revoke/", {"recipient": "carol"}, headers=JSON)
    return made.json()["id"]


def status(client: Client, method: str, place: str, form: dict[str, object]) -> int:
    ThrottleWindow.objects.all().delete()  # each role asks as if it were the first
    return getattr(client, method)(place, form, headers=JSON).status_code


@pytest.mark.attack("C10", "C12")
def test_each_role_gets_its_answer_at_each_address(shared_image, team, clients):
    posted = forms(shared_image)
    for route, row in ROWS.items():
        place = address(route, shared_image, team)
        for method, answers in zip(("get", "post"), row, strict=True):
            form = posted.get(route, {}) if method == "post" else {}
            got = {role: status(clients[role], method, place, form) for role in ROLES}
            assert got == dict(zip(ROLES, answers, strict=True)), (method, route)


def test_no_address_is_without_a_row():
    assert set(routes()) == ROWS.keys() | ENDS_SESSIONS
