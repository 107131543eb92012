"""Teams at rest: nothing opens them without a password, and what is wrong with one is found."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import WrappedKey
from audit.models import AuditEntry
from cryptocore.context import context
from cryptocore.kdf import derive_key
from gallery.management.commands import prove_zero_access
from gallery.models import Circle, Member, Placement
from gallery.services.circles import deleting
from gallery.services.circles.acts import own_circle
from gallery.services.own_keys import look_over_own_keys
from gallery.services.relocking import relock_after_theft, stolen_readers_of
from gallery.zero_access.openers import Kind
from tests.conftest import PASSWORD
from tests.gallery.albums.test_at_rest import findings, search
from tests.gallery.teams.conftest import TEAM, comes, opened
from tests.stored import holds

pytestmark = pytest.mark.usefixtures("emptied_storage")


@pytest.mark.attack("F146")
def test_a_teams_name_stands_in_no_row(team, image, bob):
    opened(bob, image)
    assert not holds(b"Imaging desk")
    assert not holds(b"Second floor")


@pytest.mark.attack("F146")
def test_with_a_team_open_in_a_browser_there_is_no_way_in(team, image, album, placed, bob):
    opened(bob, image)
    opened(bob, placed)
    found = search()
    assert found.ways == []
    assert len(found.locked.albums) == 2


@pytest.mark.attack("F146")
def test_a_members_password_opens_the_team_its_albums_and_what_is_in_them(
    team, image, album, placed, bob, upload, monkeypatch
):
    from gallery.zero_access.locked import locked
    from gallery.zero_access.places import collect
    from gallery.zero_access.search import Search

    upload(caption="nobody else's")
    found = Search(locked(people=0), collect())
    found.give_password(bob.user, PASSWORD)
    found.run()
    assert found.opened(Kind.ALBUM) == found.opened(Kind.TITLE) == {team.pk, album.pk}
    assert found.opened(Kind.PLAINTEXT) == {image.pk, placed.pk}
    monkeypatch.setattr(prove_zero_access, "getpass", lambda prompt: PASSWORD)
    call_command("prove_zero_access", people=0, with_password="bob")
    assert AuditEntry.objects.get(event="zero-access:proven").parsed().facts["opened"] == 2


@pytest.mark.attack("F146")
@pytest.mark.parametrize("what", ["key", "wrapping key"])
def test_a_key_of_a_team_left_in_a_column_is_found(team, album, placed, alice, what):
    key = own_circle(alice.keyring, team.pk, TEAM).key
    if what == "wrapping key":
        place = (settings.SERVER_KEYS.instance_id, team.pk, 1, album.pk, 1)
        key = derive_key(key, context("circle-circle-key", *place))
    alice.user.email = key.hex()
    alice.user.save(update_fields=["email"])
    found = search()
    assert {Kind.ALBUM, Kind.CONTENT, Kind.PLAINTEXT} <= {way.kind for way in found.ways}
    with pytest.raises(CommandError):
        call_command("prove_zero_access", people=0)


def test_a_damaged_key_of_a_team_is_mended_from_its_quick_key(team, image, bob):
    opened(bob, image)
    row = WrappedKey.objects.filter(member__reader=bob.user)
    row.update(oaep_bytes=bytes(384))
    look_over_own_keys(bob.keyring)
    row.update(quick_key=None)
    assert opened(bob, image).startswith(b"\xff\xd8")


@pytest.mark.attack("F142")
def test_after_a_theft_the_team_its_albums_and_its_images_get_new_keys(
    team, image, album, placed, alice, bob
):
    from accounts.services.rotating.ordering import order_after_theft

    order_after_theft(bob.user)
    (stolen,) = stolen_readers_of(alice.user)
    assert stolen.albums == {team.pk}
    relock_after_theft(keyring=alice.keyring)
    comes(alice)
    assert team.now.epoch == Circle.objects.get(pk=album.pk).epoch == 2
    for one in (image, placed):
        one.refresh_from_db()
        assert one.lock == 2
    assert findings() == []


@pytest.mark.attack("F146")
def test_whatever_is_done_with_teams_everything_is_as_signed_and_a_gone_one_is_found(
    team, image, album, placed, alice, bob, carol
):
    team.add(carol)
    assert findings() == []
    team.take_out(bob)
    assert findings() == []
    deleting.delete_circle(keyring=alice.keyring, circle_id=team.pk, kind=TEAM)
    assert findings() == []
    comes(alice)
    assert findings() == []
    Placement.objects.filter(circle=team.pk).delete()
    Member.objects.filter(circle=team.pk).delete()
    Member.objects.filter(team=team.pk).delete()
    Circle.objects.filter(pk=team.pk).delete()
    assert findings() == ["GONE"]
