"""A successor takes over an image of a disabled owner; nobody else does, and no sooner."""

import pytest

from audit.models import AuditEntry
from gallery.access import access_to
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    NotYours,
    OwnerActive,
)
from gallery.models import Circle, Grant, SealedImage, Statement, SuccessorKey
from gallery.opening import Opener
from gallery.services.deleting import delete_image
from gallery.services.revoking import revoke
from gallery.services.successors import keep_for_successors
from gallery.services.taking_over import take_over
from gallery.verification.images import ImageCheck
from tests.accounts.test_oversight import act
from tests.gallery.albums.conftest import opened
from tests.gallery.successors.conftest import name, put_back, rows_of
from tests.gallery.test_sharing import share

pytestmark = pytest.mark.attack("F151")


def taken(person, image) -> SealedImage:
    return take_over(keyring=person.keyring, image_id=image.pk)


def everything() -> list:
    models = (SealedImage, Grant, Statement, SuccessorKey)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


def refused(person, image, error: type[GalleryError]) -> None:
    before = everything()
    with pytest.raises(error):
        taken(person, image)
    assert everything() == before


# ---- who may not -----------------------------------------------------------------------------


def test_a_successor_cannot_while_the_owner_is_active_nor_open_anything(alice, bob, named):
    refused(bob, named, OwnerActive)
    with pytest.raises(NotYours):
        access_to(named.pk, reader=bob.user)
    bob.sign_in()
    assert bob.client.get(f"/images/{named.pk}/").status_code == 404
    assert not bob.client.get("/images/", headers={"accept": "application/json"}).json()["images"]


def test_another_image_s_key_in_the_row_is_refused(alice, bob, named, upload, disable):
    other = upload()
    keep_for_successors(alice.keyring)
    theirs = SuccessorKey.objects.get(image=other)
    SuccessorKey.objects.filter(image=named).update(wrapped=theirs.wrapped)
    disable(alice)
    refused(bob, named, Altered)


def test_staff_and_people_who_are_locked_cannot(alice, bob, named, disable, staff):
    disable(alice)
    address = f"/images/{named.pk}/take-over/"
    answer = staff.post(address, headers={"accept": "application/json"})
    assert answer.json()["code"] == "recovery_code_needed"  # those of staff open no image
    client = bob.sign_in()
    client.cookies.pop("unlock")
    answer = client.post(address, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "locked")
    assert SealedImage.objects.get(pk=named.pk).owner == alice.user


# ---- what a successor gets -------------------------------------------------------------------


def test_the_successor_owns_it_and_its_readers_still_open_it(alice, bob, carol, named, disable):
    disable(alice)
    before = opened(carol, named)
    image = taken(bob, named)
    assert (image.owner, image.lock) == (bob.user, named.lock)
    assert opened(bob, image) == opened(carol, image) == before
    assert access_to(image.pk, reader=bob.user).is_owner
    with pytest.raises(AccessEnded):
        access_to(image.pk, reader=alice.user)


def test_the_new_owner_shares_on_revokes_and_deletes(alice, bob, carol, mallory, named, disable):
    disable(alice)
    taken(bob, named)
    assert share(bob, named, mallory).status_code == 200
    assert opened(mallory, named)
    revoke(keyring=bob.keyring, image_id=named.pk, recipient=carol.user)
    with pytest.raises(AccessEnded):
        access_to(named.pk, reader=carol.user)
    assert opened(mallory, named) == opened(bob, named)
    delete_image(keyring=bob.keyring, image_id=named.pk)
    assert SealedImage.objects.get(pk=named.pk).deleted_at


def test_the_former_owner_s_signature_is_kept_and_says_who_sealed_it(
    alice, bob, carol, named, disable
):
    disable(alice)
    taken(bob, named)
    page = carol.sign_in().get(f"/images/{named.pk}/", headers={"accept": "application/json"})
    facts = page.json()
    assert facts["owner"]["username"] == "bob"
    assert facts["sealed_by"] == {"username": "alice", "display_name": "Alice Ardent"}
    assert facts["verdict"]["code"] == "verified"
    shown = carol.client.get(f"/images/{named.pk}/").content.decode()
    assert "Sealed by Alice Ardent" in shown
    assert "taken over by Bob Brook" in shown


@pytest.mark.parametrize("part", ["body", "signature"])
def test_a_former_owner_s_statement_that_was_altered_is_found(
    alice, bob, carol, named, disable, part
):
    disable(alice)
    taken(bob, named)
    first = Statement.objects.get(kind="manifest", subject=named.pk, sequence=1)
    altered = bytearray(getattr(first, part))
    altered[-3] ^= 1
    Statement.objects.filter(pk=first.pk).update(**{part: bytes(altered)})
    with pytest.raises(Altered):
        Opener(carol.keyring).sealed_by(SealedImage.objects.get(pk=named.pk))


def test_the_state_from_before_put_back_opens_for_nobody(alice, bob, carol, named, disable):
    disable(alice)
    tables = ("gallery_sealedimage", "gallery_grant", "gallery_statement", "accounts_wrappedkey")
    old = {table: rows_of(table) for table in tables}
    taken(bob, named)
    for table in reversed(tables):
        put_back(table, old[table])
    with pytest.raises(Altered):
        opened(carol, named)


def test_enabling_the_former_owner_does_not_undo_it(alice, bob, named, disable, staff):
    disable(alice)
    taken(bob, named)
    act(staff, alice.user, "enable")
    answer = alice.sign_in().get(f"/images/{named.pk}/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (410, "access_ended")
    refused(alice, named, NotYours)


def test_suspended_readers_open_it_again_under_the_new_owner(
    alice, bob, carol, named, disable, staff
):
    disable(alice)
    act(staff, alice.user, "suspend-readers")
    with pytest.raises(GalleryError):
        opened(carol, named)
    taken(bob, named)
    assert opened(carol, named)


def test_an_image_in_an_album_stays_open_to_its_members(
    alice, bob, named, make, make_person, disable
):
    dora = make_person("dora", "Dora Dale")
    shared = make(alice)
    shared.place(named)
    shared.share(dora)
    disable(alice)
    taken(bob, named)
    assert opened(dora, named)


def test_the_trail_says_whose_it_was(alice, bob, named, disable):
    disable(alice)
    taken(bob, named)
    circle = Circle.objects.get(kind="successors")
    (done,) = AuditEntry.objects.filter(event="image:taken-over", outcome="done")
    assert (done.actor, done.subject) == (bob.user.pk, named.pk)
    facts = done.parsed().facts
    assert (facts["former"], facts["successors"]) == (str(alice.user.pk), str(circle.pk))


def test_the_sweep_finds_nothing_wrong_with_what_was_taken_over(alice, bob, named, disable):
    disable(alice)
    taken(bob, named)
    assert list(ImageCheck([named.pk], reads_bytes=True).check(named.pk)) == []


def test_a_date_of_deletion_stays_and_counts(alice, bob, carol, upload, disable, days_later):
    image = upload(to=(carol,), keep_until="2099-01-01T12:00")
    name(alice, bob)
    disable(alice)
    taken(bob, image)
    assert opened(carol, image)
