"""Successors at rest: nothing opens what they may take over but a password of theirs, which the
page says; and everything done with them is as it was signed."""

import pytest
from django.core.management import call_command

from audit.models import AuditEntry
from gallery.management.commands import prove_zero_access
from gallery.models import Circle, SuccessorCircleKey, SuccessorKey
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.placing import place_image
from gallery.services.deleting import delete_image
from gallery.services.ended import relock_ended
from gallery.services.successors import circle_of, keep_for_successors, remove_successor
from gallery.services.taking_over import take_over
from gallery.zero_access.locked import locked
from gallery.zero_access.openers import Kind
from gallery.zero_access.places import collect
from gallery.zero_access.search import Search
from tests.conftest import PASSWORD
from tests.gallery.albums.conftest import opened
from tests.gallery.albums.test_at_rest import findings
from tests.gallery.successors.conftest import name
from tests.rows.world import sent

pytestmark = [pytest.mark.usefixtures("emptied_storage"), pytest.mark.attack("F154")]


def test_nothing_at_rest_opens_what_successors_have(named, bob):
    found = Search(locked(people=0), collect())
    found.run()
    assert found.ways == []
    assert len(found.locked.albums) == 1


def test_a_successors_own_password_and_a_copy_of_the_data_open_it_as_we_say(
    alice, bob, named, monkeypatch
):
    found = Search(locked(people=0), collect())
    found.give_password(bob.user, PASSWORD)
    found.run()
    assert found.opened(Kind.PLAINTEXT) == {named.pk}
    monkeypatch.setattr(prove_zero_access, "getpass", lambda prompt: PASSWORD)
    call_command("prove_zero_access", people=0, with_password="bob")
    result = AuditEntry.objects.get(event="zero-access:proven").parsed()
    assert result.facts["opened"] == 1


def test_so_do_albums_and_teams_and_what_is_in_them(alice, bob, dora, make_held, upload):
    held, team = make_held("album"), make_held("team")
    dora.sign_in()
    theirs = sent(dora, dora, "olive")
    place_image(keyring=dora.keyring, circle_id=held.pk, image_id=theirs.pk)
    name(alice, bob)
    for password, titles in ((PASSWORD, {held.pk, team.pk}), ("somebody else's", set())):
        found = Search(locked(people=0), collect())
        found.give_password(bob.user, password)
        found.run()
        assert found.opened(Kind.TITLE) & {held.pk, team.pk} == titles
        assert (theirs.pk in found.opened(Kind.PLAINTEXT)) == bool(titles)


def test_the_password_of_somebody_removed_opens_nothing(alice, bob, carol, named):
    name(alice, carol)
    remove_successor(keyring=alice.keyring, person=bob.user)
    found = Search(locked(people=0), collect())
    found.give_password(bob.user, PASSWORD)
    found.run()
    assert found.opened(Kind.PLAINTEXT) == set()


def test_whatever_is_done_with_successors_everything_is_as_signed(
    alice, bob, carol, named, upload, disable
):
    name(alice, carol)
    assert findings() == []
    remove_successor(keyring=alice.keyring, person=carol.user)
    relock_ended(alice.keyring)
    keep_for_successors(alice.keyring)
    assert findings() == []
    disable(alice)
    take_over(keyring=bob.keyring, image_id=named.pk)
    assert findings() == []
    relock_ended(bob.keyring)
    assert findings() == []
    assert opened(carol, named) == opened(bob, named)


def test_a_key_for_successors_that_is_left_of_something_deleted_is_found(alice, bob, make_held):
    held = make_held("album")
    name(alice, bob)
    images, circles = list(SuccessorKey.objects.all()), list(SuccessorCircleKey.objects.all())
    delete_circle(keyring=alice.keyring, circle_id=held.pk)
    delete_image(keyring=alice.keyring, image_id=held.image.pk)
    assert findings() == []
    SuccessorKey.objects.bulk_create(images)
    assert findings() == ["NOT_DELETED"]
    SuccessorCircleKey.objects.bulk_create(circles)
    assert findings() == ["NOT_DELETED"] * 2
    remove_successor(keyring=alice.keyring, person=bob.user)
    assert findings() == []
    SuccessorCircleKey.objects.bulk_create(circles)
    assert findings() == ["NOT_DELETED"] * 2


def test_successors_that_were_taken_away_or_altered_are_found(alice, named):
    circle = circle_of(alice.user)
    Circle.objects.filter(pk=circle.pk).update(kind="team")
    assert findings() == ["ALBUM"]
    Circle.objects.filter(pk=circle.pk).update(kind="successors", epoch=2)
    assert findings()
