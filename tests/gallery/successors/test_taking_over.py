"""A successor takes over an image of a disabled owner; nobody else does, and no sooner."""

import pytest
from django.db import connection

from accounts.models import User
from audit.models import AuditEntry
from gallery.access import access_to
from gallery.beside import successor_key
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    NotHandedOver,
    NotYours,
    OtherSigner,
    OwnerActive,
    TakenBefore,
)
from gallery.models import Circle, Grant, Member, SealedImage, Statement, SuccessorKey
from gallery.opening import Opener
from gallery.services.deleting import delete_image
from gallery.services.revoking import revoke
from gallery.services.successors import circle_of, keep_for_successors, remove_successor
from gallery.services.taking_over import take_over
from gallery.verification.images import ImageCheck
from tests.accounts.test_oversight import act
from tests.gallery.albums.conftest import opened
from tests.gallery.successors.conftest import name
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


def test_a_stranger_a_reader_and_the_owner_cannot(alice, bob, carol, mallory, named, disable):
    refused(alice, named, NotYours)
    disable(alice)
    for person in (mallory, carol):
        refused(person, named, NotYours)


def test_a_successor_cannot_while_the_owner_is_active_nor_open_anything(alice, bob, named):
    refused(bob, named, OwnerActive)
    with pytest.raises(NotYours):
        access_to(named.pk, reader=bob.user)
    bob.sign_in()
    assert bob.client.get(f"/images/{named.pk}/").status_code == 404
    assert not bob.client.get("/images/", headers={"accept": "application/json"}).json()["images"]


def test_nor_once_the_owner_is_disabled_only_by_a_column(alice, bob, named):
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    refused(bob, named, OwnerActive)


def test_nor_after_the_owner_was_enabled_again_whatever_the_column_says(
    alice, bob, named, disable, staff
):
    disable(alice)
    act(staff, alice.user, "enable")
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    refused(bob, named, OwnerActive)


def test_nor_while_the_row_says_that_the_owner_is_active(alice, bob, named, disable):
    disable(alice)
    User.objects.filter(pk=alice.user.pk).update(is_active=True)
    refused(bob, named, OwnerActive)


def test_a_former_successor_cannot(alice, bob, carol, named, disable):
    name(alice, carol)
    remove_successor(keyring=alice.keyring, person=bob.user)
    disable(alice)
    refused(bob, named, NotYours)
    taken(carol, named)


def test_nor_by_a_membership_rolled_back(alice, bob, carol, named, disable):
    name(alice, carol)
    tables = ("gallery_circle", "gallery_member", "gallery_statement", "accounts_wrappedkey")
    old = {table: rows_of(table) for table in tables}
    remove_successor(keyring=alice.keyring, person=bob.user)
    for table in reversed(tables):
        put_back(table, old[table])
    disable(alice)
    refused(bob, named, Altered)


def rows_of(table: str) -> tuple[list[str], list[tuple]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return [column[0] for column in cursor.description], cursor.fetchall()


def put_back(table: str, old: tuple[list[str], list[tuple]]) -> None:
    columns, rows = old
    marks = ", ".join(["%s"] * len(columns))
    on_postgres = connection.vendor == "postgresql"
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if on_postgres:  # where what points to a row keeps it from being deleted at once
            cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"DELETE FROM {table}")
        for row in rows:
            cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)
        if on_postgres:
            cursor.execute("SET session_replication_role = DEFAULT")


def test_a_row_that_nobody_signed_makes_no_successor(alice, bob, mallory, named, disable):
    row = Member.objects.get(circle__kind="successors", reader=bob.user)
    row.pk, row.reader, row.wrapped_key = None, mallory.user, None
    row._state.adding = True
    row.id = Member().id
    row.save()
    disable(alice)
    refused(mallory, named, Altered)


def test_the_owners_column_turned_to_somebody_who_named_one_gives_them_nothing(
    alice, bob, mallory, named, disable
):
    name(mallory, bob)
    disable(mallory)
    SealedImage.objects.filter(pk=named.pk).update(owner=mallory.user)
    refused(bob, named, Altered)


def test_another_image_s_key_in_the_row_is_refused(alice, bob, named, upload, disable):
    other = upload()
    keep_for_successors(alice.keyring)
    theirs = SuccessorKey.objects.get(image=other)
    SuccessorKey.objects.filter(image=named).update(wrapped=theirs.wrapped)
    disable(alice)
    refused(bob, named, Altered)


def test_a_key_that_is_not_the_image_s_own_is_refused(alice, bob, named, disable):
    circle = circle_of(alice.user)
    circle_key = Opener(bob.keyring).own_circle_key(circle)  # as bob has it, writing to the rows
    forged = successor_key(named, b"k" * 32, circle, circle_key)
    SuccessorKey.objects.filter(image=named).update(wrapped=forged.wrapped)
    disable(alice)
    refused(bob, named, Altered)


def test_an_image_that_was_never_handed_over_stays(alice, bob, named, disable):
    SuccessorKey.objects.all().delete()
    disable(alice)
    refused(bob, named, NotHandedOver)


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


def test_only_the_first_of_two_successors_gets_it(alice, bob, carol, mallory, named, disable):
    name(alice, carol)
    disable(alice)
    taken(carol, named)
    refused(bob, named, TakenBefore)
    refused(mallory, named, NotYours)
    assert access_to(named.pk, reader=carol.user).is_owner


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


def test_a_reader_who_compared_another_key_of_the_former_owner_is_asked_first(
    alice, bob, named, disable, monkeypatch
):
    def differs(self, *_args):
        raise OtherSigner(alice.user, None)

    monkeypatch.setattr("gallery.signers.Signers.check", differs)
    disable(alice)
    refused(bob, named, OtherSigner)


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
