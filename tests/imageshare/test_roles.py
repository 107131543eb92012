"""Every role at every address gets the answer of its row, and no address is without one."""

import pytest
from django.conf import settings as site
from django.test import Client

from accounts.keys.recipients import recipient_of
from accounts.models import ThrottleWindow
from gallery.models import Circle
from gallery.services.circles.making import make_circle
from gallery.services.circles.placing import place_image
from gallery.services.circles.rekeying import revoke_member
from gallery.services.circles.sharing import share_circle
from gallery.services.uploading import Terms
from tests.gallery.test_sharing import share
from tests.imageshare.roles import ENDS_SESSIONS, ROLES, ROWS
from tests.imageshare.test_every_address import JSON, address, routes


def forms(image) -> dict[str, dict[str, object]]:
    """Return what is posted where more than an empty form tells the roles apart."""
    selected = {"images": [str(image.pk)]}
    acts = ("selected/share", "selected/revoke", "selected/delete", "selected/album", "zip")
    in_album = ("add", "remove")
    return {
        **{f"images/{act}/": selected for act in acts},
        **{f"albums/<uuid:album_id>/{act}/": selected for act in in_album},
    }


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
def album(shared_image, alice, bob, carol) -> Circle:
    """An album of alice's with the image, shared with bob; carol was in it once."""
    made = make_circle(keyring=alice.keyring, title="Lake", description="", members_add=False)
    place_image(keyring=alice.keyring, circle_id=made.pk, image_id=shared_image.pk)
    share_circle(
        keyring=alice.keyring,
        circle_id=made.pk,
        recipients=[recipient_of(person.user) for person in (bob, carol)],
        terms=Terms("download", None),
    )
    revoke_member(keyring=alice.keyring, circle_id=made.pk, recipient=carol.user)
    return made


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
    answer = getattr(client, method)(place, form, headers=JSON)
    if answer.streaming:  # read to its end, so that it holds no turn
        list(answer.streaming_content)
    answer.close()
    return answer.status_code


@pytest.mark.attack("C10", "C12")
def test_each_role_gets_its_answer_at_each_address(shared_image, album, team, clients):
    posted = forms(shared_image)
    for route, row in ROWS.items():
        place = address(route, shared_image, team=team, album=str(album.pk))
        for method, answers in zip(("get", "post"), row, strict=True):
            form = posted.get(route, {}) if method == "post" else {}
            got = {role: status(clients[role], method, place, form) for role in ROLES}
            assert got == dict(zip(ROLES, answers, strict=True)), (method, route)


def test_no_address_is_without_a_row():
    assert set(routes()) == ROWS.keys() | ENDS_SESSIONS
