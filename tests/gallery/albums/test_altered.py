"""Whatever anybody writes into the rows of an album: refused, and found."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.keys.content_keys import wrap_content_key
from accounts.keys.recipients import recipient_of
from accounts.models import WrappedKey
from audit import events
from audit.events import AuditUnavailable
from cryptocore import circles
from gallery.errors import AccessEnded, Altered, GalleryError, NotYours
from gallery.models import Circle, Member, Placement
from gallery.opening import Opener
from gallery.sealing import set_entry
from gallery.services.circles import acts, ended, placing, rekeying
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.ended import destroy_ended_album_keys, rekey_ended
from gallery.services.revoking import relock
from gallery.services.uploading import Terms
from gallery.verification.findings import Kind
from gallery.verification.sweep import Sweep
from tests.conftest import jpeg
from tests.gallery.albums.conftest import opened
from tests.rows.older import PIECES, Older

REFUSED = (Altered, AccessEnded, NotYours)


def step_of(person, image) -> str:
    with pytest.raises(Altered) as altered:
        opened(person, image)
    return altered.value.step


# ---- forged rows -----------------------------------------------------------------------------


@pytest.mark.attack("F106")
def test_a_membership_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act(
    album, image, alice, bob, carol, mallory
):
    key = WrappedKey.objects.get(member__reader=bob.user)
    forged = Member(circle=album.circle, reader=mallory.user, granted_at=timezone.now())
    set_entry(forged, rights="download", ends_at=None)
    forged.save()
    assert step_of(mallory, image) == "member"
    with pytest.raises(Altered):
        album.share(carol)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    with pytest.raises(AccessEnded):
        opened(mallory, image)
    assert not WrappedKey.objects.filter(pk=key.pk).exists()


@pytest.mark.attack("F106")
def test_a_place_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act(
    album, image, alice, bob, upload
):
    other = upload(data=jpeg("red"))
    forged = Placement(circle=album.circle, image=other, lock=1, epoch=1, granted_at=timezone.now())
    set_entry(forged, rights="download", ends_at=None)
    forged.save()
    assert step_of(bob, other) == "entry"
    with pytest.raises(Altered):
        album.place(other)
    relock(keyring=alice.keyring, image_id=other.pk)
    with pytest.raises(AccessEnded):
        opened(bob, other)


@pytest.mark.attack("F106")
@pytest.mark.parametrize("to", ["another image", "another album"])
def test_a_place_copied_elsewhere_opens_nothing(album, make, image, alice, bob, carol, upload, to):
    other_image, other = upload(data=jpeg("red")), make(alice, "Sea")
    other.share(carol)
    row = Placement.objects.get()
    row.pk = None
    row._state.adding = True
    if to == "another image":
        row.image = other_image
        row.save()
        assert step_of(bob, other_image) == "entry"
        Placement.objects.filter(pk=row.pk).delete()
        album.place(other_image)  # listed now: with the key of the other image
        wrapped = Placement.objects.get(image=image).wrapped
        Placement.objects.filter(image=other_image).update(wrapped=wrapped)
        assert step_of(bob, other_image) == "placement"
    else:
        row.circle = other.circle
        row.save()
        assert step_of(carol, image) == "entry"
        Placement.objects.filter(pk=row.pk).delete()
        other.place(image)
        wrapped = Placement.objects.get(circle=album.pk).wrapped
        Placement.objects.filter(circle=other.pk).update(wrapped=wrapped)
        assert step_of(carol, image) == "placement"


@pytest.mark.attack("F106")
def test_a_member_cannot_put_another_key_in_an_images_place(album, image, alice, bob, carol):
    """Every member has the album's key; the image's own commitment decides."""
    album.share(carol)
    placement, member = Placement.objects.get(), Member.objects.get(reader=bob.user)
    member.circle = album.circle
    circle_key = Opener(bob.keyring).circle_key_for(member)
    place = {
        "instance": settings.SERVER_KEYS.instance_id,
        "circle": album.pk,
        "epoch": 1,
        "subject": image.pk,
    }
    other = circles.wrap_content_key(bytes(32), circle_key, **place, lock=1)
    Placement.objects.filter(pk=placement.pk).update(wrapped=other)
    assert step_of(carol, image) == "commitment"


@pytest.mark.attack("F106")
def test_a_key_of_another_epoch_or_another_secret_is_not_the_albums(
    album, image, alice, bob, carol
):
    album.share(carol)
    before = WrappedKey.objects.get(member__reader=carol.user)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    row = WrappedKey.objects.filter(member__reader=carol.user)
    row.update(oaep_bytes=before.oaep_bytes, quick_key=None)
    assert step_of(carol, image) == "wrapped-key"
    row.update(lock=1)
    assert step_of(carol, image) == "wrapped-key"
    key = recipient_of(carol.user).key
    other = wrap_content_key(bytes(32), key.pair, key.public_key, subject=album.pk, lock=2)
    row.update(lock=2, oaep_bytes=other.oaep_bytes, quick_key=None)
    assert step_of(carol, image) == "commitment"


@pytest.mark.attack("F106")
@pytest.mark.parametrize(
    ("rows", "change", "step"),
    [
        (Member, {"rights": "view"}, "member"),
        (Member, {"ends_at": timezone.now() + timedelta(days=9)}, "member"),
        (Member, {"salt": bytes(32)}, "member"),
        (Member, {"entry": b"{}"}, "member"),
        (Placement, {"rights": "view"}, "entry"),
        (Placement, {"salt": bytes(32)}, "entry"),
        (Placement, {"lock": 2}, "placement"),
        (Placement, {"epoch": 2}, "placement"),
        (Placement, {"wrapped": bytes(40)}, "placement"),
        (Placement, {"wrapped": b""}, "placement"),
        (Circle, {"epoch": 2}, "membership-epoch"),
        (Circle, {"kind": "team"}, "membership-epoch"),
    ],
)
def test_an_altered_column_is_refused(album, image, bob, rows, change, step):
    held = rows.objects.filter(reader=bob.user) if rows is Member else rows.objects
    held.update(**change)
    with pytest.raises(Altered) as altered:
        opened(bob, image)
    # The kind is part of whom the image's list names.
    assert altered.value.step in (step, "entry")


@pytest.mark.attack("F106")
def test_another_owner_of_the_row_is_not_whose_signature_it_is(album, image, bob, mallory):
    Circle.objects.update(owner=mallory.user)
    assert step_of(bob, image) == "certificate"
    with pytest.raises(GalleryError):
        acts.own_circle(mallory.keyring, album.pk)


@pytest.mark.attack("F106")
def test_an_altered_title_is_not_shown_and_not_signed_anew(album, alice, bob, carol):
    stored = bytearray(Circle.objects.get().details)
    stored[-1] ^= 1
    Circle.objects.update(details=bytes(stored))
    member = Member.objects.select_related("circle__owner").get(reader=bob.user)
    with pytest.raises(Altered):
        Opener(bob.keyring).details(member)
    with pytest.raises(Altered):
        album.share(carol)


@pytest.mark.attack("F106")
def test_a_member_whose_row_was_hidden_is_out_all_the_same(album, image, alice, bob):
    Member.objects.filter(reader=bob.user).update(ended_at=timezone.now())
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    Member.objects.filter(reader=bob.user).update(ended_at=None)
    assert Circle.objects.get().epoch == 2
    assert step_of(bob, image) == "member"


def until_tomorrow() -> Terms:
    return Terms("download", timezone.now().replace(microsecond=0) + timedelta(days=1))


@pytest.mark.attack("F211")
def test_an_owner_without_a_row_of_their_own_gives_no_next_key_and_nobody_gets_in(
    album, image, alice, bob, days_later
):
    """Without it nothing is under an old key that opens, and the sweep says why nothing is done."""
    key = Member.objects.get(reader=bob.user).wrapped_key_id
    album.share(bob, terms=until_tomorrow())
    Member.objects.filter(reader=alice.user)._raw_delete("default")
    days_later(2)
    destroy_ended_album_keys()
    rekey_ended(alice.keyring)
    assert Circle.objects.get().epoch == 1
    assert not WrappedKey.objects.filter(pk=key).exists()
    with pytest.raises(AccessEnded):
        opened(bob, image)
    with pytest.raises(GalleryError):
        rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    sweep = Sweep(reads_bytes=False, progress=lambda images: None)
    assert Kind.READER_GONE in {finding.kind for finding in sweep.run()}


@pytest.mark.attack("F211")
def test_an_owner_whose_row_of_one_album_is_gone_gives_their_others_the_next_key(
    make, album, alice, bob, days_later
):
    other = make(alice, "Sea")
    other.share(bob, terms=until_tomorrow())
    Member.objects.filter(reader=alice.user, circle=album.pk)._raw_delete("default")
    days_later(2)
    rekey_ended(alice.keyring)
    assert Circle.objects.get(pk=other.pk).epoch == 2


@pytest.mark.attack("F106")
def test_a_deleted_album_whose_rows_were_put_back_opens_nothing(album, image, alice, bob):
    before = Older()
    delete_circle(keyring=alice.keyring, circle_id=album.pk)
    before.put_back(PIECES)
    assert step_of(bob, image) == "membership-not-newest"


# ---- older states: more of them in tests/rows/test_older_states.py ------------------------------


@pytest.mark.attack("F107")
def test_an_entry_of_an_older_statement_is_refused(album, image, alice, bob):
    """Genuine in its time, and its digest in the statement of that time."""
    older = Member.objects.get(reader=bob.user)
    album.share(bob, terms=Terms("view", None))
    Member.objects.filter(reader=bob.user).update(
        entry=older.entry, salt=older.salt, rights=older.rights
    )
    assert step_of(bob, image) == "member"


# ---- an act that was never finished ----------------------------------------------------------


@pytest.mark.attack("F108")
@pytest.mark.parametrize("committed", [True, False])
def test_killed_between_intended_and_done_everything_opens(
    album, image, alice, bob, carol, monkeypatch, committed
):
    """As the machine that stops: no `done`, and no `failed`."""

    def nothing(*arguments, **options):
        return None

    with monkeypatch.context() as killed:
        killed.setattr(events, "record_after", nothing)
        if not committed:
            killed.setattr(rekeying, "_exchange", _stop)
        try:
            rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
        except KeyboardInterrupt:
            assert not committed
    if committed:
        with pytest.raises(AccessEnded):
            opened(bob, image)
    else:
        assert opened(bob, image)
    assert opened(alice, image)
    album.share(carol)
    assert opened(carol, image)
    rekeying.rekey(keyring=alice.keyring, circle_id=album.pk)
    assert opened(carol, image)


def _stop(*arguments):
    raise KeyboardInterrupt


@pytest.mark.attack("F108")
def test_nothing_changes_where_the_trail_takes_no_intention(album, image, alice, bob, monkeypatch):
    def away(*arguments, **options):
        raise AuditUnavailable

    monkeypatch.setattr(events, "record", away)
    with pytest.raises(AuditUnavailable):
        rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    monkeypatch.undo()
    assert Circle.objects.get().epoch == 1
    assert opened(bob, image)


@pytest.mark.attack("F108")
def test_an_image_placed_while_the_next_key_is_made_is_under_that_key(
    album, image, alice, bob, carol, upload, monkeypatch
):
    album.share(carol)
    later, real, calls = upload(data=jpeg("red")), rekeying._commit, []

    def after_a_place(*arguments):
        if not calls:
            calls.append(1)
            album.place(later)
        return real(*arguments)

    monkeypatch.setattr(rekeying, "_commit", after_a_place)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert set(Placement.objects.values_list("epoch", flat=True)) == {2}
    assert opened(carol, later)


def test_of_an_image_taken_out_while_the_next_key_is_made_nothing_is_left(
    album, image, alice, bob, monkeypatch
):
    real = rekeying._commit

    def after_taking_out(*arguments):
        placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
        return real(*arguments)

    monkeypatch.setattr(rekeying, "_commit", after_taking_out)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert [bytes(row.wrapped or b"") for row in Placement.objects.all()] == [b""]


@pytest.mark.attack("F108")
def test_a_place_wrapped_under_the_key_before_is_not_stored_after_the_next_one(
    album, image, alice, bob, carol, upload, monkeypatch
):
    album.share(carol)
    later, real, calls = upload(data=jpeg("red")), placing.sign_statement, []

    def sign(*arguments, **options):
        if not calls:
            calls.append(1)
            rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
        return real(*arguments, **options)

    monkeypatch.setattr(placing, "sign_statement", sign)
    album.place(later)
    assert set(Placement.objects.values_list("epoch", flat=True)) == {2}
    assert opened(carol, later)


def test_a_member_added_while_another_is_taken_out_stays(
    album, image, alice, bob, carol, monkeypatch
):
    real, calls = rekeying._commit, []

    def after_sharing(*arguments):
        if not calls:
            calls.append(1)
            album.share(carol)
        return real(*arguments)

    monkeypatch.setattr(rekeying, "_commit", after_sharing)
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert opened(carol, image)
    with pytest.raises(AccessEnded):
        opened(bob, image)


def test_what_does_not_verify_is_tried_once_an_hour(album, alice, monkeypatch):
    Circle.objects.update(rekey_after=timezone.now(), details=bytes(64))
    rekey_ended(alice.keyring)
    assert Circle.objects.get().rekey_after > timezone.now()
    tried = []
    monkeypatch.setattr(ended, "_rekey_ended", lambda *arguments: tried.append(arguments))
    rekey_ended(alice.keyring)
    assert tried == []
