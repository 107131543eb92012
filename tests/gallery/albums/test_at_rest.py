"""Albums at rest: nothing opens them without a password, and what is wrong with one is found."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import WrappedKey
from audit.models import AuditEntry
from cryptocore.context import context
from cryptocore.kdf import derive_key
from gallery.management.commands import prove_zero_access
from gallery.models import Circle, Member, Placement, Rights, Statement
from gallery.services.circles import deleting, making, placing, rekeying
from gallery.services.circles.acts import own_circle
from gallery.services.ended import relock_ended
from gallery.services.own_keys import look_over_own_keys
from gallery.verification.sweep import Sweep
from gallery.zero_access.locked import locked
from gallery.zero_access.openers import Kind
from gallery.zero_access.places import collect
from gallery.zero_access.search import Search
from tests.conftest import PASSWORD, jpeg
from tests.gallery.albums.conftest import opened
from tests.rows.world import sent

pytestmark = pytest.mark.usefixtures("emptied_storage")


def findings() -> list[str]:
    sweep = Sweep(reads_bytes=True, progress=lambda images: None)
    return [finding.kind.name for finding in sweep.run()]


# ---- verify_images ---------------------------------------------------------------------------


@pytest.mark.attack("F109")
def test_whatever_is_done_with_albums_everything_is_as_signed(
    make, album, image, alice, bob, carol, upload
):
    bob.sign_in()
    theirs, other = sent(bob, alice, "olive"), upload(data=jpeg("red"))
    change = {"title": "Sea", "description": "", "members_add": True}
    making.change_circle(keyring=alice.keyring, circle_id=album.pk, **change)
    album.share(carol)
    album.place(theirs, by=bob)
    album.place(other)
    placing.take_out(keyring=alice.keyring, circle_id=album.pk, image_id=other.pk)
    assert findings() == []
    rekeying.revoke_member(keyring=alice.keyring, circle_id=album.pk, recipient=bob.user)
    assert findings() == []  # bob's list still names the album
    relock_ended(alice.keyring)
    relock_ended(bob.keyring)
    assert findings() == []
    deleting.delete_circle(keyring=alice.keyring, circle_id=album.pk)
    assert findings() == []  # as alice's do
    relock_ended(alice.keyring)
    assert findings() == []


ALTERED = [
    (Circle, {"epoch": 2}, "HEAD"),
    (Circle, {"kind": "team"}, "ALBUM"),
    (Circle, {"details": bytes(64)}, "ALBUM"),
    (Circle, {"members_add": True}, "ALBUM"),
    (Circle, {"deleted_at": timezone.now()}, "DELETED"),
    (Member, {"rights": Rights.VIEW}, "READER_UNSIGNED"),
    (Member, {"salt": bytes(32)}, "READER_UNSIGNED"),
    (Member, {"entry": b"{}"}, "READER_UNSIGNED"),
    (Member, {"ended_at": timezone.now()}, "READER_GONE"),
    (Member, {"wrapped_key": None}, "WRAPPED_KEY"),
    (Placement, {"rights": Rights.VIEW}, "READER_UNSIGNED"),
    (Placement, {"salt": bytes(32)}, "READER_UNSIGNED"),
    (Placement, {"ended_at": timezone.now()}, "READER_GONE"),
    (Placement, {"lock": 2}, "PLACE"),
    (Placement, {"epoch": 2}, "PLACE"),
    (WrappedKey, {"lock": 2}, "WRAPPED_KEY"),
    (Statement, {"signature": bytes(384)}, "HEAD"),
    (Statement, {"body": b"{}"}, "HEAD"),
    (Statement, {"sequence": 9}, "HEAD"),
]


@pytest.mark.attack("F109")
@pytest.mark.parametrize(("rows", "change", "kind"), ALTERED)
def test_what_is_altered_is_found(album, image, bob, rows, change, kind):
    about = {
        Member: {"reader": bob.user},
        WrappedKey: {"member__reader": bob.user},
        Statement: {"kind": "membership", "sequence": 2},
    }
    assert rows.objects.filter(**about.get(rows, {})).update(**change) == 1
    assert kind in findings() or (change == {"epoch": 2} and findings())


@pytest.mark.attack("F109")
def test_an_album_that_was_taken_away_is_found(album, image):
    Placement.objects.all().delete()
    Member.objects.all().delete()
    Circle.objects.all().delete()
    assert set(findings()) == {"GONE", "READER_GONE"}


@pytest.mark.attack("F109", "F146", "F154")
@pytest.mark.parametrize("kind", Circle.Kind.values)
def test_a_circle_of_any_kind_whose_row_is_gone_is_found_by_the_trail(alice, kind):
    circle = making.make_circle(
        keyring=alice.keyring, title="Lake", description="", members_add=False, kind=kind
    )
    assert findings() == []
    Member.objects.all().delete()
    Circle.objects.filter(pk=circle.pk).delete()
    assert findings() == ["GONE"]


# ---- zero access -----------------------------------------------------------------------------


def search(**wanted) -> Search:
    found = Search(locked(people=0, **wanted), collect())
    found.run()
    return found


@pytest.mark.attack("F109")
def test_with_an_album_open_in_a_browser_there_is_no_way_in(album, image, bob):
    opened(bob, image)
    assert WrappedKey.objects.filter(subject=album.pk).exclude(quick_key=None).count() == 2
    found = search()
    assert found.ways == []
    assert len(found.locked.albums) == 1


@pytest.mark.attack("F109")
def test_a_members_password_opens_the_album_and_what_is_in_it(
    album, image, alice, bob, upload, monkeypatch
):
    other = upload(data=jpeg("red"))
    found = Search(locked(people=0), collect())
    found.give_password(bob.user, PASSWORD)
    found.run()
    assert found.opened(Kind.ALBUM) == found.opened(Kind.TITLE) == {album.pk}
    assert found.opened(Kind.PLAINTEXT) == {image.pk}
    assert other.pk not in found.opened(Kind.CONTENT)
    monkeypatch.setattr(prove_zero_access, "getpass", lambda prompt: PASSWORD)
    call_command("prove_zero_access", people=0, with_password="bob")
    result = AuditEntry.objects.get(event="zero-access:proven").parsed()
    assert result.facts["opened"] == 1


@pytest.mark.attack("F109")
@pytest.mark.parametrize("what", ["key", "wrapping key"])
def test_a_key_of_an_album_left_in_a_column_is_found(album, image, alice, what):
    key = own_circle(alice.keyring, album.pk).key
    if what == "wrapping key":
        place = (settings.SERVER_KEYS.instance_id, album.pk, 1, image.pk, 1)
        key = derive_key(key, context("circle-content-key", *place))
    alice.user.email = key.hex()
    alice.user.save(update_fields=["email"])
    found = search()
    assert {Kind.CONTENT, Kind.PLAINTEXT} <= {way.kind for way in found.ways}
    with pytest.raises(CommandError):
        call_command("prove_zero_access", people=0)


# ---- a person's own keys ---------------------------------------------------------------------


@pytest.mark.attack("F109")
def test_a_damaged_key_of_an_album_is_mended_from_its_quick_key(album, image, bob):
    opened(bob, image)
    row = WrappedKey.objects.filter(member__reader=bob.user)
    row.update(oaep_bytes=bytes(384))
    look_over_own_keys(bob.keyring)
    row.update(quick_key=None)
    assert opened(bob, image).startswith(b"\xff\xd8")
    assert AuditEntry.objects.filter(event="wrapped-key:mended", outcome="done").count() == 1


def test_a_damaged_key_without_a_quick_key_is_on_record(album, bob):
    row = WrappedKey.objects.filter(member__reader=bob.user)
    row.update(oaep_bytes=bytes(384), quick_key=None)
    look_over_own_keys(bob.keyring)
    damaged = AuditEntry.objects.get(event="wrapped-key:damaged")
    assert damaged.subject == album.pk
