"""A card says *New* until its reader has opened the image; for its owner it never does."""

import pytest

from tests.audit.conftest import tamper
from tests.gallery.test_uploading import JSON


def new(client, address="/images/"):
    return [card["new"] for card in client.get(address, headers=JSON).json()["images"]]


@pytest.mark.parametrize("opening", ["", "preview", "original"])
def test_an_image_is_new_until_its_reader_opens_it(shared_image, alice, bob, opening):
    client = bob.sign_in()
    assert new(client) == [True]
    assert b"new-word" in client.get("/images/").content
    assert client.get(f"/images/{shared_image.pk}/thumbnail").status_code == 200
    assert new(client) == [True]
    b"".join(client.get(f"/images/{shared_image.pk}/{opening}"))
    assert new(client) == [False]
    assert b"new-word" not in client.get("/images/").content
    assert new(alice.sign_in(), "/images/mine/") == [False]


def test_what_one_reader_opened_is_new_to_the_other(shared_image, alice, bob, carol):
    alice.sign_in().post(f"/images/{shared_image.pk}/share/", {"recipients": "carol"})
    bob.sign_in().get(f"/images/{shared_image.pk}/")
    assert new(carol.sign_in()) == [True]


def test_nothing_is_called_new_while_the_trail_is_away(shared_image, bob):
    client = bob.sign_in()
    client.post("/accounts/lock/")
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    try:
        assert new(client) == [False]
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")
