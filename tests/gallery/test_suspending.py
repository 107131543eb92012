"""Staff suspend the readers of a disabled person's images, and reinstate them: by the trail
alone."""

import pytest

from accounts.models import User
from audit.events import Event, record
from audit.models import AuditEntry
from gallery.access import access_to
from gallery.ledger import TrailAway
from gallery.opening import Opener
from tests.accounts.test_oversight import REASON, act, told
from tests.audit.conftest import tamper
from tests.gallery.albums.conftest import album, image, make, opened  # noqa: F401
from tests.gallery.test_searching import upload as upload_as

JSON = {"accept": "application/json"}
SUSPENDED, REINSTATED = Event.ACCOUNT_READERS_SUSPENDED, Event.ACCOUNT_READERS_REINSTATED
RENDITIONS = ("original", "preview", "thumbnail")
pytestmark = pytest.mark.attack("F150")


@pytest.fixture
def suspended(staff, alice, bob, shared_image):
    """The image that alice shared with bob, after staff disabled her and suspended her readers."""
    assert act(staff, alice.user, "disable").status_code == 302
    assert act(staff, alice.user, "suspend-readers").status_code == 302
    bob.unlocked()
    return shared_image


def refused(client, address: str) -> tuple[int, str]:
    answer = client.get(address, headers=JSON)
    return answer.status_code, answer.json()["code"]


# ---- what nobody opens -----------------------------------------------------------------------


def test_a_reader_gets_a_sentence_and_no_byte(bob, suspended):
    for rendition in ("", *RENDITIONS):
        assert refused(bob.client, f"/images/{suspended.pk}/{rendition}") == (403, "suspended")
    page = bob.client.get(f"/images/{suspended.pk}/")
    assert "Staff have suspended access to the images of Alice Ardent" in page.content.decode()
    assert not AuditEntry.objects.filter(event=Event.IMAGE_OPENED, outcome="done").exists()


def test_lists_thumbnails_search_and_a_zip_hold_nothing_of_it(bob, suspended):
    (card,) = bob.client.get("/images/", headers=JSON).json()["images"]
    assert (card["state"], card["caption"], card["width"]) == ("suspended", "", None)
    assert b"Suspended by staff" in bob.client.get("/images/").content
    sent = {"images": [str(suspended.pk)]}
    (part,) = [b"".join(bob.client.post("/images/thumbnails/", sent).streaming_content)]
    assert b'"code": "suspended"' in part
    assert bob.client.post("/images/zip/", sent, headers=JSON).json()["code"] == (
        "nothing_to_download"
    )
    found = bob.client.post("/images/search/", {"q": "lake"}, headers=JSON).json()
    assert found["images"] == []


def test_words_that_a_search_has_kept_are_not_found_either(staff, alice, bob, shared_image):
    bob.sign_in()
    ask = {"q": "lake"}
    assert bob.client.post("/images/search/", ask, headers=JSON).json()["images"]
    act(staff, alice.user, "disable")
    act(staff, alice.user, "suspend-readers")
    assert bob.client.post("/images/search/", ask, headers=JSON).json()["images"] == []


def test_nor_does_it_open_through_an_album(staff, alice, bob, album, image):  # noqa: F811
    assert opened(bob, image)
    act(staff, alice.user, "disable")
    act(staff, alice.user, "suspend-readers")
    assert refused(bob.unlocked(), f"/images/{image.pk}/original") == (403, "suspended")
    (card,) = bob.client.get(f"/albums/{album.pk}/", headers=JSON).json()["images"]
    assert card["state"] == "suspended"


def test_images_of_others_open_as_before(bob, carol, suspended):
    theirs = upload_as(carol, "Ours", recipients=["bob"])
    assert bob.client.get(f"/images/{theirs}/original").status_code == 200


# ---- whatever a row says ---------------------------------------------------------------------


def test_no_row_lifts_it(alice, bob, suspended):
    User.objects.filter(pk=alice.user.pk).update(is_active=True, session_epoch=0)
    assert refused(bob.client, f"/images/{suspended.pk}/original") == (403, "suspended")


def test_an_entry_that_the_audit_key_does_not_vouch_for_causes_nothing(alice, bob, shared_image):
    bob.sign_in()
    record(Event.ACCOUNT_UNLOCKED, actor=alice.user.pk, subject=alice.user.pk)
    tamper(
        "UPDATE audit_auditentry SET event = 'account:readers-suspended' "
        "WHERE event = 'account:unlocked'"
    )
    assert AuditEntry.objects.filter(event=SUSPENDED, subject=alice.user.pk).exists()
    assert bob.client.get(f"/images/{shared_image.pk}/original").status_code == 200


def test_nor_does_such_an_entry_lift_it(alice, bob, suspended):
    record(Event.ACCOUNT_UNLOCKED, actor=alice.user.pk, subject=alice.user.pk)
    tamper(
        "UPDATE audit_auditentry SET event = 'account:readers-reinstated' "
        "WHERE event = 'account:unlocked'"
    )
    assert AuditEntry.objects.filter(event=REINSTATED, subject=alice.user.pk).exists()
    assert refused(bob.client, f"/images/{suspended.pk}/original") == (403, "suspended")


def test_without_the_trail_nobody_opens_it(bob, suspended):
    tamper("ALTER TABLE audit_auditentry RENAME TO audit_elsewhere")
    try:
        with pytest.raises(TrailAway):
            Opener(bob.keyring).check_entry(access_to(suspended.pk, reader=bob.user))
    finally:
        tamper("ALTER TABLE audit_elsewhere RENAME TO audit_auditentry")


# ---- the acts --------------------------------------------------------------------------------


def test_reinstated_readers_open_everything_again(staff, alice, bob, suspended):
    assert act(staff, alice.user, "reinstate-readers").status_code == 302
    for rendition in RENDITIONS:
        assert bob.client.get(f"/images/{suspended.pk}/{rendition}").status_code == 200


def test_an_owner_enabled_again_opens_their_images_and_their_readers_still_wait(
    staff, alice, bob, suspended
):
    act(staff, alice.user, "enable")
    assert alice.sign_in().get(f"/images/{suspended.pk}/original").status_code == 200
    assert refused(bob.client, f"/images/{suspended.pk}/original") == (403, "suspended")
    assert (
        b"reinstate-readers" in staff.get(f"/admin/accounts/user/{alice.user.pk}/change/").content
    )


def test_readers_of_an_active_person_are_not_suspended(staff, alice, bob, shared_image):
    answer = act(staff, alice.user, "suspend-readers")
    assert (answer.status_code, b"Disable them first" in answer.content) == (422, True)
    assert bob.sign_in().get(f"/images/{shared_image.pk}/original").status_code == 200
    assert [entry[0] for entry in told("account:readers-suspended")] == ["failed"]


@pytest.mark.parametrize("name", ["suspend-readers", "reinstate-readers"])
def test_only_staff_do_it(client, alice, bob, name):
    for browser in (client, bob.sign_in(), alice.sign_in()):
        assert act(browser, alice.user, name).status_code == 302
    assert not AuditEntry.objects.filter(event__startswith="account:readers-").exists()


def test_staff_page_offers_what_can_be_done_now(staff, alice):
    page = f"/admin/accounts/user/{alice.user.pk}/change/"
    assert b"suspend-readers" not in staff.get(page).content
    act(staff, alice.user, "disable")
    assert b"suspend-readers" in staff.get(page).content
    act(staff, alice.user, "suspend-readers")
    shown = staff.get(page).content
    assert (b"suspend-readers" in shown, b"reinstate-readers" in shown) == (False, True)


def test_both_acts_are_in_the_trail_with_their_reason(staff, alice, suspended):
    act(staff, alice.user, "reinstate-readers")
    overseer = User.objects.get(username="overseer")
    for event in ("account:readers-suspended", "account:readers-reinstated"):
        assert told(event) == [("done", overseer.pk, alice.user.pk, {"reason": REASON})]
