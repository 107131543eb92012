"""What owners do with albums, what members may, and what nobody else does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.keys import content_keys
from accounts.keys.recipients import recipient_of
from accounts.models import User, WrappedKey
from audit.models import AuditEntry
from cryptocore import statements
from gallery.circle_keys import CircleOpener
from gallery.errors import AccessEnded, NotAllowed, NotARecipient, NotYours, TooManyReaders, Waiting
from gallery.models import Circle, Member, Notice, Placement, SealedImage, Statement
from gallery.services.circles import deleting, making, placing, rekeying, sharing
from gallery.services.circles.ended import rekey_ended
from gallery.services.ended import relock_ended
from gallery.services.purging import purge
from gallery.services.revoking import relock
from gallery.services.uploading import Terms
from tests.conftest import jpeg
from tests.gallery.albums.conftest import DOWNLOAD, opened
from tests.rows.world import sent
from tests.stored import holds
from tests.trail import outcomes_of

pytestmark = pytest.mark.usefixtures("emptied_storage")


def lock_of(image) -> int:
    return SealedImage.objects.get(pk=image.pk).lock


def details_of(person, album):
    member = Member.objects.select_related("circle__owner").get(
        circle=album.pk, reader=person.user, ended_at=None
    )
    return CircleOpener(person.keyring).details(member)


def statements_about(subject) -> int:
    return Statement.objects.filter(subject=subject.pk).count()


ACTS = {
    "change": lambda keyring, album, image, user: making.change_circle(
        keyring=keyring, circle_id=album.pk, title="x", description="", members_add=True
    ),
    "share": lambda keyring, album, image, user: sharing.share_circle(
        keyring=keyring, circle_id=album.pk, recipients=[recipient_of(user)], terms=DOWNLOAD
    ),
    "revoke": lambda keyring, album, image, user: rekeying.revoke_member(
        keyring=keyring, circle_id=album.pk, recipient=user
    ),
    "rekey": lambda keyring, album, image, user: rekeying.rekey(
        keyring=keyring, circle_id=album.pk
    ),
    "delete": lambda keyring, album, image, user: deleting.delete_circle(
        keyring=keyring, circle_id=album.pk
    ),
    "place": lambda keyring, album, image, user: placing.place_image(
        keyring=keyring, circle_id=album.pk, image_id=image.pk
    ),
    "take out": lambda keyring, album, image, user: placing.take_out(
        keyring=keyring, circle_id=album.pk, image_id=image.pk
    ),
}


@pytest.mark.parametrize(
    ("act", "event"),
    [
        ("change", "album:changed"),
        ("share", "album:shared"),
        ("revoke", "album:revoked"),
        ("rekey", "album:rekeyed"),
        ("delete", "album:deleted"),
    ],
)
def test_each_act_on_an_album_is_on_record(make, image, alice, bob, carol, act, event):
    album = make(alice)
    about = {"actor": alice.user.pk, "subject": album.pk}
    assert outcomes_of("album:made", **about) == ["intended", "done"]
    if act == "revoke":
        album.share(carol)
    before = outcomes_of(event, **about)
    ACTS[act](alice.keyring, album, image, carol.user)
    assert outcomes_of(event, **about) == [*before, "intended", "done"]


# ---- who may ---------------------------------------------------------------------------------


@pytest.mark.attack("F104")
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("who", "refusal"),
    [("mallory", NotYours), ("bob", NotAllowed), ("former", AccessEnded)],
)
def test_only_its_owner_acts_on_an_album(
    album, image, alice, bob, carol, mallory, act, who, refusal
):
    album.share(carol)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=carol.user)
    person = {"mallory": mallory, "bob": bob, "former": carol}[who]
    before = statements_about(album), statements_about(image)
    with pytest.raises(refusal):
        ACTS[act](person.keyring, album, image, bob.user)
    assert (statements_about(album), statements_about(image)) == before
    assert opened(bob, image)


@pytest.mark.attack("F104")
def test_a_member_adds_images_of_their_own_only_where_the_owner_signed_it(
    make, alice, bob, mallory
):
    bob.sign_in()
    theirs = sent(bob, alice, "olive")
    album = make(alice)
    album.share(bob, mallory)
    with pytest.raises(NotAllowed):
        album.place(theirs, by=bob)
    Circle.objects.update(members_add=True)  # anybody who can write to the database
    with pytest.raises(NotAllowed):
        album.place(theirs, by=bob)
    assert not Placement.objects.exists()
    making.change_circle(
        keyring=alice.keyring, circle_id=album.pk, title="Lake", description="", members_add=True
    )
    album.place(theirs, by=bob)
    assert opened(mallory, theirs)
    with pytest.raises(NotAllowed):  # another member's image, and the album owner's
        album.place(theirs, by=mallory)
    with pytest.raises(NotAllowed):
        placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=theirs.pk)


@pytest.mark.attack("F104")
def test_a_members_add_that_was_written_into_the_row_is_not_signed_at_the_next_act(
    album, alice, bob, carol, upload
):
    Circle.objects.update(members_add=True)
    album.share(carol)
    bob.sign_in()
    with pytest.raises(NotAllowed):
        album.place(sent(bob, alice, "olive"), by=bob)


# ---- making, changing, sharing ---------------------------------------------------------------


def test_title_and_description_are_read_by_members_and_stand_in_no_row(album, alice, bob):
    assert details_of(bob, album) == {"title": "Lake", "description": "Summer at the lake"}
    assert not holds(b"Summer at the lake")
    change = {"title": "Sea", "description": "", "members_add": False}
    making.change_circle(keyring=alice.keyring, circle_id=album.pk, **change)
    assert details_of(bob, album) == {"title": "Sea", "description": ""}
    before = statements_about(album)
    making.change_circle(keyring=alice.keyring, circle_id=album.pk, **change)
    assert statements_about(album) == before


def test_one_member_more_costs_one_wrapping_and_one_statement(
    make, alice, bob, upload, monkeypatch
):
    album = make(alice)
    for colour in ("red", "blue", "green"):
        album.place(upload(data=jpeg(colour)))
    calls, real = [], content_keys.wrap

    def counted(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(content_keys, "wrap", counted)
    before = Statement.objects.count()
    album.share(bob)
    assert (len(calls), Statement.objects.count() - before) == (1, 1)
    assert all(opened(bob, image) for image in SealedImage.objects.all())


def test_sharing_again_changes_the_terms_or_nothing(album, image, bob):
    assert [row.reader for row in album.share(bob).unchanged] == [bob.user]
    before = statements_about(album)
    shared = album.share(bob, terms=Terms("view", None))
    assert [row.reader for row in shared.changed] == [bob.user]
    assert statements_about(album) == before + 1
    kinds = Notice.objects.filter(person=bob.user).order_by("sequence")
    assert [b'"kind":"shared"' in bytes(one.body) for one in kinds] == [True, False]
    assert all(b'"album":"%s"' % str(album.pk).encode() in bytes(one.body) for one in kinds)


def test_more_members_than_a_statement_lists_are_refused(album, carol, monkeypatch):
    monkeypatch.setattr(statements, "MAX_ENTRIES", 2)
    with pytest.raises(TooManyReaders):
        album.share(carol)


# ---- taking out ------------------------------------------------------------------------------


@pytest.mark.attack("F105")
def test_taking_a_member_out_makes_a_new_key_and_leaves_nothing_of_theirs(
    album, image, alice, bob, carol
):
    album.share(carol)
    opened(bob, image)
    theirs = WrappedKey.objects.get(member__reader=bob.user)
    old = bytes(theirs.oaep_bytes), bytes(theirs.quick_key)
    placed = bytes(Placement.objects.get().wrapped)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    circle = Circle.objects.get()
    assert circle.epoch == 2
    assert not any(map(holds, (*old, placed)))
    assert set(WrappedKey.objects.filter(subject=album.pk).values_list("lock", flat=True)) == {2}
    assert opened(carol, image)
    assert details_of(carol, album)["title"] == "Lake"
    with pytest.raises(AccessEnded):
        opened(bob, image)
    entries = AuditEntry.objects.filter(event="album:revoked").order_by("sequence")
    assert [entry.outcome for entry in entries] == ["intended", "done"]
    assert entries[1].parsed().facts["reader"] == str(bob.user.pk)


@pytest.mark.attack("F105")
def test_every_image_gets_a_new_lock_when_its_owner_comes(make, alice, bob, carol, upload):
    bob.sign_in()
    mine, theirs = upload(), sent(bob, alice, "olive")
    album = make(alice, members_add=True)
    album.share(bob, carol)
    album.place(mine)
    album.place(theirs, by=bob)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=carol.user)
    relock_ended(alice.keyring)
    assert (lock_of(mine), lock_of(theirs)) == (2, 1)
    assert opened(bob, mine)
    relock_ended(bob.keyring)
    assert lock_of(theirs) == 2
    assert opened(alice, theirs)


@pytest.mark.attack("F105")
def test_who_is_taken_out_takes_their_own_images_along(make, alice, bob, carol, upload):
    bob.sign_in()
    theirs = sent(bob, bob, "olive")
    album = make(alice, members_add=True)
    album.share(bob, carol)
    album.place(theirs, by=bob)
    assert opened(carol, theirs)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    with pytest.raises(AccessEnded):
        opened(carol, theirs)
    assert opened(bob, theirs)
    relock_ended(bob.keyring)  # its list named the album until now
    assert lock_of(theirs) == 2
    assert not SealedImage.objects.exclude(relock_after=None).exists()


def test_a_former_member_becomes_one_again(album, image, alice, bob):
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    album.share(bob)
    assert opened(bob, image)
    assert Notice.objects.filter(person=bob.user).count() == 3


def test_somebody_who_never_was_a_member_is_not_taken_out(album, alice, carol):
    for person in (alice, carol):
        with pytest.raises(NotARecipient):
            rekeying.revoke_member(
                keyring=alice.keyring, circle_id=album.pk, recipient=User(pk=person.user.pk)
            )
    assert Circle.objects.get().epoch == 1


def test_an_image_in_two_albums_leaves_one(album, make, image, alice, bob, carol):
    other = make(alice, "Sea")
    other.place(image)
    other.share(carol)
    placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    assert lock_of(image) == 2
    assert opened(carol, image)
    with pytest.raises(AccessEnded):
        opened(bob, image)
    again = placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    assert (again.ended_reason, lock_of(image)) == ("revoked", 2)
    unrelated = make(alice, "Sky")
    with pytest.raises(NotARecipient):
        placing.take_out(keyring=alice.keyring, circle_id=unrelated.pk, image_id=image.pk)


def test_placing_twice_places_once(album, image):
    before = statements_about(image)
    album.place(image)
    assert (Placement.objects.count(), statements_about(image)) == (1, before)


# ---- deleting --------------------------------------------------------------------------------


@pytest.mark.attack("F105")
def test_deleting_an_album_destroys_its_key_and_keeps_its_images(album, image, alice, bob):
    opened(bob, image)
    keys = [bytes(key.oaep_bytes) for key in WrappedKey.objects.filter(subject=album.pk)]
    details = bytes(album.circle.details)
    deleting.delete_circle(keyring=alice.keyring, circle_id=album.pk)
    assert not any(map(holds, (*keys, details)))
    assert opened(alice, image)
    relock_ended(alice.keyring)
    assert lock_of(image) == 2
    with pytest.raises(AccessEnded):
        deleting.delete_circle(keyring=alice.keyring, circle_id=album.pk)
    with pytest.raises(AccessEnded):
        album.place(image)


# ---- re-locking an image that is in an album -------------------------------------------------


def test_an_image_that_gets_a_new_lock_stays_open_to_the_members(album, image, alice, bob):
    relock(keyring=alice.keyring, image_id=image.pk)
    placement = Placement.objects.get()
    assert (placement.lock, placement.epoch) == (2, 1)
    assert opened(bob, image)


def test_where_the_album_is_out_of_reach_its_members_wait_until_the_owner_can(
    make, alice, bob, carol, upload
):
    bob.sign_in()
    theirs = sent(bob, alice, "olive")
    album = make(alice, members_add=True)
    album.share(bob, carol)
    album.place(theirs, by=bob)
    member = Member.objects.get(reader=bob.user)
    key = member.wrapped_key
    Member.objects.filter(pk=member.pk).update(wrapped_key=None)
    relock(keyring=bob.keyring, image_id=theirs.pk)
    assert Placement.objects.get().wrapped is None
    with pytest.raises(Waiting) as waits:
        opened(carol, theirs)
    assert waits.value.in_album
    rekey_ended(bob.keyring)  # still without the album's key
    assert Placement.objects.get().wrapped is None
    Member.objects.filter(pk=member.pk).update(wrapped_key=key)
    rekey_ended(bob.keyring)
    assert opened(carol, theirs)


# ---- ended by date ---------------------------------------------------------------------------


@pytest.mark.attack("F105")
@pytest.mark.parametrize("purged", [True, False])
def test_when_a_members_time_is_over_the_owners_next_page_makes_a_new_key(
    album, image, alice, bob, carol, monkeypatch, purged
):
    end = timezone.now().replace(microsecond=0) + timedelta(minutes=5)
    album.share(carol, terms=Terms("download", end))
    key = bytes(WrappedKey.objects.get(member__reader=carol.user).oaep_bytes)
    rekey_ended(alice.keyring)
    assert Circle.objects.get().epoch == 1
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=10))
    if purged:
        assert purge()["keys"] == 1
        assert not holds(key)
    rekey_ended(alice.keyring)
    circle = Circle.objects.get()
    assert (circle.epoch, circle.rekey_after) == (2, None)
    assert not holds(key)
    ended = Member.objects.get(reader=carol.user)
    assert (ended.ended_reason, ended.ended_at) == ("ended", end)
    assert opened(bob, image)
    relock_ended(alice.keyring)
    assert lock_of(image) == 2


@pytest.mark.attack("F105")
def test_an_end_that_nobody_signed_brings_no_owner_to_leave_a_member_out(album, image, alice, bob):
    Member.objects.filter(reader=bob.user).update(ends_at=timezone.now())
    rekey_ended(alice.keyring)
    assert Circle.objects.get().epoch == 1
    Member.objects.filter(reader=bob.user).update(ends_at=None)
    assert opened(bob, image)


@pytest.mark.attack("F105")
def test_a_place_that_another_hand_ended_brings_no_owner_to_leave_the_album_out(
    album, image, alice, bob, carol
):
    """Nor does it where the album put out somebody else's images since."""
    album.share(carol)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=carol.user)
    Placement.objects.update(ended_at=timezone.now())
    SealedImage.objects.update(relock_after=timezone.now())
    relock_ended(alice.keyring)
    assert lock_of(image) == 1
    Placement.objects.update(ended_at=None)
    assert opened(bob, image)


def test_both_activity_pages_say_that_an_image_was_taken_out(alice, album, image):
    placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    page = alice.unlocked().get(f"/images/{image.pk}/activity/").content.decode()
    assert "You took it out of an album." in page
    assert (
        "You took an image out of an album." in alice.client.get("/activity/mine/").content.decode()
    )
