"""Names come from certificates. The attacker here writes to the database, or puts old rows back."""

import pytest

from accounts.models import User
from audit.models import AuditEntry
from gallery.models import Grant
from tests.accounts.test_person_page import compare, page
from tests.gallery.test_sharing import share

JSON = {"accept": "application/json"}
NOBODY = "Somebody whose name does not verify"


def swap(column: str, one, other) -> None:
    """Two UPDATEs and a third: usernames are unique. Skeletons go along with them."""
    columns = ["username", "skeleton"] if column == "username" else [column]
    values = {p.user.pk: [getattr(p.user, name) for name in columns] for p in (one, other)}
    User.objects.filter(pk=one.user.pk).update(
        **dict(zip(columns, ["zz-for-now", "zz-for-now"], strict=False))
    )
    for whose, row in ((one, other), (other, one)):
        new = dict(zip(columns, values[whose.user.pk], strict=True))
        User.objects.filter(pk=row.user.pk).update(**new)


def call(person, name: str) -> None:
    User.objects.filter(pk=person.user.pk).update(display_name=name)


ALTERED = [
    pytest.param(lambda bob, mallory: swap("username", bob, mallory), id="usernames swapped"),
    pytest.param(lambda bob, mallory: swap("display_name", bob, mallory), id="names swapped"),
    pytest.param(lambda bob, mallory: call(mallory, "Bob Brook"), id="one set"),
]


@pytest.fixture
def clients(alice, bob, mallory):
    """Everybody signed in before anything is altered: people who cannot sign in see nothing."""
    return {person.username: person.sign_in() for person in (alice, bob, mallory)}


def everything(client, *addresses) -> str:
    """All that these pages and their JSON say."""
    answers = [client.get(a, headers=h) for a in addresses for h in ({}, JSON)]
    return "".join(answer.content.decode() for answer in answers)


# ---- sharing ---------------------------------------------------------------------------------


@pytest.mark.attack("F10")
@pytest.mark.parametrize("alter", ALTERED[:2])
def test_nothing_is_shared_by_a_name_that_was_swapped(upload, clients, alice, bob, mallory, alter):
    """Alice compared bob's key, and types his name: another account must not open it."""
    compare(clients["alice"], "bob")
    image = upload()
    alter(bob, mallory)
    answer = alice.client.post(f"/images/{image.pk}/share/", {"recipients": ["bob"]}, headers=JSON)
    assert answer.status_code == 422
    codes = [error["code"] for error in answer.json()["errors"]["recipients"]]
    assert codes == ["name_not_certified"]
    assert not Grant.objects.exclude(reader=alice.user).exists()
    refused = AuditEntry.objects.filter(event="key:refused").last()
    assert refused.parsed().facts == {"reason": "name"}


@pytest.mark.attack("F10")
@pytest.mark.parametrize("alter", ALTERED)
def test_a_page_and_the_list_of_contacts_name_nobody_falsely(
    upload, clients, alice, bob, mallory, alter
):
    upload(to=(bob, mallory))
    alter(bob, mallory)
    assert page(alice.client, "mallory").status_code == 404
    shown = everything(alice.client, "/images/upload/")
    assert "Mallory Mist" not in shown
    assert 'value="mallory"' not in shown


def test_the_ones_who_were_left_alone_are_as_before(upload, clients, alice, bob, carol, mallory):
    image = upload()
    swap("username", bob, mallory)
    assert share(alice, image, carol).status_code == 200
    assert page(alice.client, "carol").status_code == 200


@pytest.mark.attack("F10")
def test_a_name_that_ones_own_row_was_given_is_not_taken_for_oneself(upload, clients, alice, bob):
    """Swapped with alice herself: bob must not be left out silently."""
    image = upload()
    swap("username", alice, bob)
    address = f"/images/{image.pk}/share/"
    answer = alice.client.post(address, {"recipients": ["bob"]}, headers=JSON)
    codes = [error["code"] for error in answer.json()["errors"]["recipients"]]
    assert codes == ["name_not_certified"]


# ---- reading ---------------------------------------------------------------------------------


@pytest.mark.attack("F10")
@pytest.mark.parametrize("alter", ALTERED)
def test_no_reader_is_shown_an_owner_who_never_signed(clients, bob, carol, mallory, alter):
    """Mallory signed. No page says that bob did, and none is green."""
    from tests.conftest import jpeg
    from tests.gallery.test_uploading import file, post

    answer = post(mallory, [file(jpeg(), "a.jpg")], recipients=["carol"])
    address = answer.json()["images"][0]["url"]
    reader = carol.sign_in()
    assert reader.get(address, headers=JSON).json()["verdict"]["code"] == "verified"
    alter(bob, mallory)
    shown = reader.get(address, headers=JSON).json()
    assert shown["verdict"]["code"] == "unnamed"
    assert shown["owner"] == {"username": None, "display_name": NOBODY}
    (card,) = reader.get("/images/", headers=JSON).json()["images"]
    assert (card["state"], card["owner"]["username"]) == ("unnamed", None)
    pages = everything(reader, address, "/images/", "/activity/")
    for word in ("Bob Brook", "@bob", '"bob"', "pill ok", "shield-check"):
        assert word not in pages, word
    assert NOBODY in everything(reader, "/activity/")
    assert reader.get(f"{address}original").status_code == 200


@pytest.mark.attack("F10")
@pytest.mark.parametrize("alter", ALTERED)
def test_an_owner_sees_no_false_reader_and_ends_that_access(
    upload, clients, alice, bob, mallory, alter
):
    image = upload(to=(mallory,))
    alter(bob, mallory)
    address = f"/images/{image.pk}/"
    (row,) = alice.client.get(address, headers=JSON).json()["people"]
    assert (row["username"], row["display_name"]) == (None, NOBODY)
    assert "Bob Brook" not in everything(alice.client, address)
    answer = alice.client.post(f"{address}revoke/", {"recipient": row["id"]}, headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["recipient"] is None
    assert clients["mallory"].get(f"{address}original").status_code == 410


@pytest.mark.attack("F10")
def test_a_swapped_username_takes_nobodys_access_away(upload, clients, alice, bob, mallory):
    """Nor does anything say that it did. A username alone still does it: it never changes."""
    image = upload(to=(bob,))
    address = f"/images/{image.pk}/revoke/"
    call(bob, "Mallory Mist")
    swap("username", bob, mallory)
    for name in ("bob", "mallory"):
        assert alice.client.post(address, {"recipient": name}, headers=JSON).status_code == 422
    User.objects.filter(pk=mallory.user.pk).update(username="zz-for-now", skeleton="zz-for-now")
    User.objects.filter(pk=bob.user.pk).update(username="bob", skeleton="bob")
    assert alice.client.post(address, {"recipient": "bob"}, headers=JSON).status_code == 200


@pytest.mark.attack("F10")
def test_what_an_ended_access_and_a_receipt_say(upload, clients, alice, bob, mallory):
    image = upload(to=(bob,))
    alice.client.post(f"/images/{image.pk}/revoke/", {"recipient": "bob"})
    call(alice, "Mallory Mist")
    answer = bob.client.get(f"/images/{image.pk}/")
    assert answer.status_code == 410
    assert b"Mallory Mist" not in answer.content
    assert NOBODY.encode() in answer.content


@pytest.mark.attack("F10")
def test_who_waits_and_whose_keys_were_stolen_are_named_by_certificates(
    upload, alice, bob, mallory
):
    from tests.accounts.test_rotate_keys import run

    image = upload(to=(bob,))
    run("bob", "--compromised")
    alice.sign_in()
    call(bob, "Mallory Mist")
    pages = everything(alice.client, "/images/waiting/", "/images/relock/", f"/images/{image.pk}/")
    assert "Mallory Mist" not in pages
    answer = alice.client.post("/images/waiting/", {"reader": "bob"}, headers=JSON)
    assert answer.status_code == 404


def test_a_disabled_persons_name_is_shown(upload, alice, bob):
    image = upload(to=(bob,))
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    (row,) = alice.client.get(f"/images/{image.pk}/", headers=JSON).json()["people"]
    assert row["display_name"] == "Bob Brook"


def test_while_the_trails_table_is_away_no_name_is_shown_as_verified(
    shared_image, alice, bob, monkeypatch
):
    from audit.events import AuditUnavailable

    def away(*arguments):
        raise AuditUnavailable

    client = bob.sign_in()
    monkeypatch.setattr("accounts.keys.names.known_certificates", away)
    shown = client.get(f"/images/{shared_image.pk}/", headers=JSON).json()
    assert shown["verdict"]["code"] == "unnamed"
    assert "cannot be checked right now" in shown["owner"]["display_name"]
    alice.client.raise_request_exception = False
    assert share(alice, shared_image, bob).status_code == 503
