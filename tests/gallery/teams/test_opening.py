"""Opening through a team, and through an album that a team is a member of: who may, and who not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services.rotating.ordering import order_after_theft
from gallery.access import access_to, membership_of
from gallery.errors import AccessEnded, NotAllowed, NotYours, Waiting
from gallery.models import Circle, Member, Placement, SealedImage
from gallery.opening import Opener
from gallery.services import sharing
from gallery.services.circles import deleting, making, placing, rekeying
from gallery.services.circles.sharing import share_circle
from gallery.services.revoking import relock
from gallery.services.uploading import Terms
from tests.gallery.teams.conftest import DOWNLOAD, TEAM, comes, fails, opened, shared_with_team

JPEG = b"\xff\xd8\xff"


def soon():
    return timezone.now().replace(microsecond=0) + timedelta(minutes=5)


def later(monkeypatch):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=10))


# ---- through a team --------------------------------------------------------------------------


@pytest.mark.attack("F140")
def test_whoever_joins_later_opens_what_was_shared_before_and_a_stranger_nothing(
    team, image, bob, carol, mallory
):
    assert opened(bob, image).startswith(JPEG)
    fails(carol, image, NotYours)
    team.add(carol)
    assert opened(carol, image).startswith(JPEG)
    fails(mallory, image, NotYours)


@pytest.mark.attack("F140")
def test_only_those_of_now_are_single_people(team, upload, alice, bob, carol):
    from gallery.services.teams import people_in, team_of

    image, opener = upload(), Opener(alice.keyring)
    people = people_in(team_of(team.pk, reader=alice.user, heads=opener), opener)
    assert [one.reader for one in people] == [alice.user, bob.user]
    from accounts.keys.recipients import recipient_of

    sharing.share_image(
        keyring=alice.keyring,
        image_id=image.pk,
        recipients=[recipient_of(bob.user)],
        terms=DOWNLOAD,
    )
    team.add(carol)
    assert opened(bob, image).startswith(JPEG)
    fails(carol, image, NotYours)
    assert not Placement.objects.filter(image=image).exists()


@pytest.mark.attack("F140")
def test_a_member_whose_keys_were_stolen_waits_and_nobody_else(team, image, bob, carol):
    order_after_theft(carol.user)
    shared = team.add(carol)
    assert [row.reader for row in shared.waiting] == [carol.user]
    fails(carol, image, Waiting)
    assert opened(bob, image).startswith(JPEG)


@pytest.mark.attack("F141")
def test_rights_and_ends_of_what_was_shared_with_a_team_hold_for_its_members(
    team, upload, bob, carol, monkeypatch
):
    image, end = upload(), soon()
    shared_with_team(team, image, terms=Terms("view", end))
    access = access_to(image.pk, reader=bob.user)
    assert (access.rights, access.ends_at) == ("view", end)
    with pytest.raises(NotAllowed):
        access.require("download")
    later(monkeypatch)
    with pytest.raises(AccessEnded):
        Opener(bob.keyring).open(access, "original")
    fails(bob, image, AccessEnded)


def test_sharing_with_a_team_again_changes_the_terms_or_nothing(team, image, alice, bob):
    assert shared_with_team(team, image).teams == []
    shared_with_team(team, image, terms=Terms("view", None))
    assert access_to(image.pk, reader=bob.user).rights == "view"
    assert Placement.objects.get().ended_at is None


def test_an_image_taken_back_from_a_team_ended_for_its_members(team, image, alice, bob, carol):
    placing.take_out(keyring=alice.keyring, circle_id=team.pk, image_id=image.pk, kind=TEAM)
    assert fails(bob, image, AccessEnded).grant.ended_reason == "revoked"
    assert SealedImage.objects.get().lock == 2
    team.add(carol)
    fails(carol, image, NotYours)  # it was never theirs


@pytest.mark.attack("F142")
def test_a_deleted_team_opens_nothing_and_its_images_stay_with_their_owners(
    team, image, album, placed, alice, bob
):
    deleting.delete_circle(keyring=alice.keyring, circle_id=team.pk, kind=TEAM)
    for one in (image, placed):
        assert fails(bob, one, AccessEnded).grant.ended_reason == "deleted"
        assert opened(alice, one).startswith(JPEG)
    assert not Member.objects.exclude(wrapped=None).exists()
    assert not Placement.objects.filter(circle=team.pk).exclude(wrapped=None).exists()
    comes(alice)
    assert Circle.objects.get(pk=album.pk).epoch == 2
    assert set(SealedImage.objects.values_list("lock", flat=True)) == {2}


# ---- through an album of which a team is a member --------------------------------------------


@pytest.mark.attack("F141")
def test_an_album_shared_with_a_team_opens_for_whoever_is_in_the_team(
    team, album, placed, bob, carol, mallory
):
    assert opened(bob, placed).startswith(JPEG)
    assert Opener(bob.keyring).details(membership_of(album.pk, reader=bob.user))["title"] == "Lake"
    fails(carol, placed, NotYours)
    team.add(carol)
    assert opened(carol, placed).startswith(JPEG)
    with pytest.raises(NotYours):
        membership_of(album.pk, reader=mallory.user)


@pytest.mark.attack("F141")
@pytest.mark.parametrize("narrow", ["team", "album", "place"])
def test_along_the_whole_chain_rights_intersect_and_the_earliest_end_counts(
    team, album, placed, alice, carol, monkeypatch, narrow
):
    terms = dict.fromkeys(("team", "album", "place"), DOWNLOAD) | {narrow: Terms("view", soon())}
    team.add(carol, terms=terms["team"])
    share_circle(
        keyring=alice.keyring,
        circle_id=album.pk,
        recipients=[],
        terms=terms["album"],
        teams=[team.pk],
    )
    if narrow == "place":  # no form asks for it; what the list says counts all the same
        from tests.gallery.teams.lists import signed_anew

        signed_anew(alice, placed, terms["place"])
    access = access_to(placed.pk, reader=carol.user)
    assert (access.rights, access.ends_at) == ("view", terms[narrow].ends_at)
    assert Opener(carol.keyring).open(access, "preview").plaintext().startswith(JPEG)
    later(monkeypatch)
    with pytest.raises(AccessEnded):
        Opener(carol.keyring).open(access, "original")
    fails(carol, placed, AccessEnded)


@pytest.mark.attack("F141")
def test_an_album_taken_back_from_a_team_ended_for_its_members(team, album, placed, alice, bob):
    rekeying.revoke_team(keyring=alice.keyring, album_id=album.pk, team_id=team.pk)
    fails(bob, placed, AccessEnded)
    with pytest.raises(AccessEnded):
        membership_of(album.pk, reader=bob.user)
    assert Circle.objects.get(pk=album.pk).epoch == 2


def test_a_row_of_ones_own_in_the_album_stays_when_the_team_goes(team, album, placed, alice, bob):
    from accounts.keys.recipients import recipient_of

    people = {"recipients": [recipient_of(bob.user)], "terms": DOWNLOAD}
    share_circle(keyring=alice.keyring, circle_id=album.pk, **people)
    team.take_out(bob)
    assert opened(bob, placed).startswith(JPEG)


def test_a_team_member_puts_images_into_an_album_that_lets_members_add(
    team, album, theirs, alice, bob, carol
):
    team.add(carol)
    placing.place_image(keyring=bob.keyring, circle_id=album.pk, image_id=theirs.pk)
    assert opened(carol, theirs).startswith(JPEG)
    relock(keyring=bob.keyring, image_id=theirs.pk)
    assert opened(carol, theirs).startswith(JPEG)


def test_no_team_is_a_member_of_a_team(team, make_team, alice):
    other = make_team(alice, "Night shift")
    with pytest.raises(NotAllowed):
        share_circle(
            keyring=alice.keyring,
            circle_id=other.pk,
            recipients=[],
            terms=DOWNLOAD,
            teams=[team.pk],
            kind=TEAM,
        )


# ---- new keys --------------------------------------------------------------------------------


def test_a_new_lock_and_a_new_key_of_album_or_team_keep_everybody_in(
    team, image, album, placed, alice, bob
):
    for one in (image, placed):
        relock(keyring=alice.keyring, image_id=one.pk)
    for circle in (team.pk, album.pk, team.pk):
        rekeying.rekey(keyring=alice.keyring, circle_id=circle)
        assert opened(bob, image).startswith(JPEG)
        assert opened(bob, placed).startswith(JPEG)


def test_an_album_whose_owner_cannot_reach_the_team_waits_and_is_completed(
    team, make_team, alice, bob, carol, upload
):
    """Bob's album, shared with alice's team: its next key is made while his row has no key."""
    making.change_circle(
        keyring=alice.keyring,
        circle_id=team.pk,
        title="Imaging desk",
        description="",
        members_add=True,
        kind=TEAM,
    )
    team.add(carol)
    album = making.make_circle(keyring=bob.keyring, title="Sea", description="", members_add=True)
    share_circle(
        keyring=bob.keyring, circle_id=album.pk, recipients=[], terms=DOWNLOAD, teams=[team.pk]
    )
    image = upload()
    placing.place_image(keyring=alice.keyring, circle_id=album.pk, image_id=image.pk)
    own = Member.objects.get(circle=team.pk, reader=bob.user)
    key = own.wrapped_key
    Member.objects.filter(pk=own.pk).update(wrapped_key=None)
    rekeying.rekey(keyring=bob.keyring, circle_id=album.pk)
    assert fails(carol, image, Waiting).in_album
    comes(bob)  # still without
    fails(carol, image, Waiting)
    Member.objects.filter(pk=own.pk).update(wrapped_key=key)
    comes(bob)
    assert opened(carol, image).startswith(JPEG)
