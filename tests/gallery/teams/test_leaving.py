"""Leaving a team, and being taken out: what is left behind, and what only the owner can do."""

import pytest
from django.utils import timezone

from accounts.models import WrappedKey
from audit import events
from audit.events import AuditUnavailable
from audit.models import AuditEntry
from gallery.errors import AccessEnded, NotAllowed, NotYours
from gallery.models import Circle, Member, Placement, SealedImage, Statement
from gallery.services import teams
from gallery.services.circles import making, placing
from gallery.services.circles.sharing import share_circle
from gallery.services.purging import purge
from gallery.services.revoking import relock
from gallery.services.uploading import Terms
from gallery.verification.sweep import Sweep
from tests.gallery.teams.conftest import DOWNLOAD, TEAM, comes, fails, opened, shared_with_team
from tests.gallery.teams.test_opening import JPEG, later, soon
from tests.stored import holds

pytestmark = pytest.mark.usefixtures("emptied_storage")


def findings() -> list[str]:
    sweep = Sweep(reads_bytes=True, progress=lambda images: None)
    return [f"{finding.kind.name} {finding.what}" for finding in sweep.run()]


def lock_of(image) -> int:
    return SealedImage.objects.get(pk=image.pk).lock


def lets_members_share(team):
    making.change_circle(
        keyring=team.owner.keyring,
        circle_id=team.pk,
        title="Imaging desk",
        description="",
        members_add=True,
        kind=TEAM,
    )


# ---- taken out -------------------------------------------------------------------------------


@pytest.mark.attack("F142")
def test_who_is_taken_out_is_left_without_any_key_and_everything_gets_a_new_one(
    team, image, album, placed, alice, bob, carol
):
    team.add(carol)
    opened(bob, image)
    theirs = WrappedKey.objects.get(member__reader=bob.user)
    old = [bytes(theirs.oaep_bytes), bytes(theirs.quick_key)]
    old += [bytes(row.wrapped) for row in Placement.objects.filter(circle=team.pk)]
    old += [bytes(Member.objects.get(team=team.pk).wrapped)]
    team.take_out(bob)
    assert (team.now.epoch, any(map(holds, old))) == (2, False)
    for one in (image, placed):
        fails(bob, one, AccessEnded)
        assert opened(carol, one).startswith(JPEG)
    assert Circle.objects.get(pk=album.pk).rekey_after is not None
    comes(alice)
    assert (lock_of(image), lock_of(placed), Circle.objects.get(pk=album.pk).epoch) == (2, 2, 2)
    assert opened(carol, image).startswith(JPEG)
    assert opened(carol, placed).startswith(JPEG)
    assert findings() == []
    done = AuditEntry.objects.get(event="team:revoked", outcome="done").parsed()
    assert done.facts["reader"] == str(bob.user.pk)


@pytest.mark.attack("F142")
def test_who_is_taken_out_takes_what_they_shared_along(team, theirs, alice, bob, carol):
    lets_members_share(team)
    team.add(carol)
    shared_with_team(team, theirs, by=bob)
    album = making.make_circle(keyring=bob.keyring, title="Sea", description="", members_add=False)
    share_circle(
        keyring=bob.keyring, circle_id=album.pk, recipients=[], terms=DOWNLOAD, teams=[team.pk]
    )
    team.take_out(bob)
    fails(carol, theirs, AccessEnded)
    assert opened(bob, theirs).startswith(JPEG)
    assert findings() == []  # his lists still name the team
    comes(bob)
    assert (lock_of(theirs), Circle.objects.get(pk=album.pk).epoch) == (2, 2)
    assert findings() == []
    assert not Circle.objects.exclude(rekey_after=None).exists()


@pytest.mark.attack("F142")
def test_when_a_members_time_is_over_the_owners_next_page_makes_a_new_key(
    team, image, alice, bob, carol, monkeypatch
):
    team.add(carol, terms=Terms("download", soon()))
    key = bytes(WrappedKey.objects.get(member__reader=carol.user).oaep_bytes)
    later(monkeypatch)
    fails(carol, image, AccessEnded)
    assert purge()["keys"] == 1
    assert not holds(key)
    comes(alice)
    assert team.now.epoch == 2
    assert opened(bob, image).startswith(JPEG)


def test_who_was_taken_out_comes_back_and_opens_what_is_shared_with_the_team_now(
    team, image, bob, upload
):
    team.take_out(bob)
    shared_with_team(team, new := upload())
    fails(bob, new, NotYours)
    team.add(bob)
    assert opened(bob, image).startswith(JPEG)
    assert opened(bob, new).startswith(JPEG)


# ---- leaving ---------------------------------------------------------------------------------


@pytest.mark.attack("F142")
def test_who_leaves_opens_nothing_from_that_moment_and_the_owner_signs_it_later(
    team, image, placed, alice, bob, carol
):
    team.add(carol)
    opened(bob, image)
    key = bytes(WrappedKey.objects.get(member__reader=bob.user).oaep_bytes)
    before = Statement.objects.count()
    team.leave(bob)
    assert (Statement.objects.count(), holds(key)) == (before, False)
    assert fails(bob, image, AccessEnded).grant.ended_reason == "left"
    fails(bob, placed, AccessEnded)
    assert opened(carol, image).startswith(JPEG)
    assert findings() == []  # what the owner signed names him still
    comes(alice)
    assert team.now.epoch == 2
    comes(alice)
    assert lock_of(image) == lock_of(placed) == 2
    assert opened(carol, placed).startswith(JPEG)
    assert findings() == []
    with pytest.raises(AccessEnded):
        team.leave(bob)
    entries = AuditEntry.objects.filter(event="team:left").order_by("sequence")
    assert [(one.outcome, one.actor) for one in entries] == [
        ("intended", bob.user.pk),
        ("done", bob.user.pk),
    ]


@pytest.mark.attack("F142")
def test_who_leaves_takes_what_they_shared_along(team, theirs, alice, bob, carol):
    lets_members_share(team)
    team.add(carol)
    shared_with_team(team, theirs, by=bob)
    assert opened(carol, theirs).startswith(JPEG)
    album = making.make_circle(keyring=bob.keyring, title="Sea", description="", members_add=False)
    share_circle(
        keyring=bob.keyring, circle_id=album.pk, recipients=[], terms=DOWNLOAD, teams=[team.pk]
    )
    placing.place_image(keyring=bob.keyring, circle_id=album.pk, image_id=theirs.pk)
    team.leave(bob)
    fails(carol, theirs, AccessEnded)
    assert opened(bob, theirs).startswith(JPEG)
    assert findings() == []
    comes(bob)
    comes(alice)
    assert (lock_of(theirs), Circle.objects.get(pk=album.pk).epoch, team.now.epoch) == (2, 2, 2)
    assert findings() == []


def test_who_left_is_added_again_before_and_after_the_owners_next_page(team, image, alice, bob):
    team.leave(bob)
    team.add(bob)
    assert opened(bob, image).startswith(JPEG)
    comes(alice)
    assert team.now.epoch == 2
    assert opened(bob, image).startswith(JPEG)
    team.leave(bob)
    comes(alice)
    team.add(bob)
    assert opened(bob, image).startswith(JPEG)


@pytest.mark.attack("F142")
def test_neither_the_owner_nor_somebody_outside_leaves(team, alice, mallory):
    for person, refusal in ((alice, NotAllowed), (mallory, NotYours)):
        with pytest.raises(refusal):
            team.leave(person)
    assert not AuditEntry.objects.filter(event="team:left").exists()


@pytest.mark.attack("F142")
def test_nobody_leaves_an_album_this_way(album, alice, bob):
    with pytest.raises(NotYours):
        teams.leave_team(person=bob.user, team_id=album.pk)


@pytest.mark.attack("F142")
def test_without_the_trail_nobody_left(team, image, bob, monkeypatch):
    def away(*arguments, **options):
        raise AuditUnavailable

    with monkeypatch.context() as unavailable:
        unavailable.setattr(events, "record", away)
        with pytest.raises(AuditUnavailable):
            team.leave(bob)
    assert opened(bob, image).startswith(JPEG)


@pytest.mark.attack("F143")
def test_an_end_that_somebody_else_wrote_brings_no_owner_to_sign_a_list_without_a_member(
    team, image, alice, bob
):
    ended = {"ended_at": timezone.now(), "ended_reason": "left"}
    Member.objects.filter(reader=bob.user).update(**ended)
    Circle.objects.filter(pk=team.pk).update(rekey_after=timezone.now())
    comes(alice)
    assert team.now.epoch == 1
    assert any(one.startswith("READER_GONE") for one in findings())
    Member.objects.filter(reader=bob.user).update(ended_at=None, ended_reason="")
    assert opened(bob, image).startswith(JPEG)


@pytest.mark.attack("F143")
def test_that_somebody_left_once_ends_no_later_membership(team, image, alice, bob):
    """The trail's entry is older than his new row."""
    team.leave(bob)
    comes(alice)
    team.add(bob)
    Member.objects.filter(reader=bob.user, ended_at=None).update(ended_at=timezone.now())
    Circle.objects.filter(pk=team.pk).update(rekey_after=timezone.now())
    comes(alice)
    assert team.now.epoch == 2


def test_a_new_lock_while_the_owner_of_the_team_is_away_keeps_the_others_in(
    team, image, alice, bob, carol
):
    team.add(carol)
    team.leave(bob)
    relock(keyring=alice.keyring, image_id=image.pk)
    assert opened(carol, image).startswith(JPEG)
