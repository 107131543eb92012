"""Who may do what with a team; acts that meet."""

import pytest

from accounts.keys.recipients import recipient_of
from audit.models import AuditEntry
from gallery.errors import AccessEnded, NotAllowed, NotYours
from gallery.models import Circle, Member, Notice, Placement, Statement
from gallery.opening import Opener
from gallery.services import sharing as image_sharing
from gallery.services.circles import deleting, making, placing, rekeying, sharing
from gallery.services.circles import sharing as album_sharing
from gallery.services.teams import people_in, team_of
from tests.gallery.teams.conftest import DOWNLOAD, TEAM, fails, opened, shared_with_team
from tests.gallery.teams.test_leaving import lets_members_share
from tests.trail import outcomes_of

JPEG = b"\xff\xd8\xff"

ACTS = {
    "change": lambda keyring, team, user: making.change_circle(
        keyring=keyring, circle_id=team.pk, title="x", description="", members_add=True, kind=TEAM
    ),
    "add": lambda keyring, team, user: sharing.share_circle(
        keyring=keyring,
        circle_id=team.pk,
        recipients=[recipient_of(user)],
        terms=DOWNLOAD,
        kind=TEAM,
    ),
    "take out": lambda keyring, team, user: rekeying.revoke_member(
        keyring=keyring, circle_id=team.pk, recipient=user, kind=TEAM
    ),
    "rekey": lambda keyring, team, user: rekeying.rekey(keyring=keyring, circle_id=team.pk),
    "delete": lambda keyring, team, user: deleting.delete_circle(
        keyring=keyring, circle_id=team.pk, kind=TEAM
    ),
}


@pytest.mark.parametrize(
    ("act", "event"),
    [
        ("change", "team:changed"),
        ("add", "team:shared"),
        ("take out", "team:revoked"),
        ("rekey", "team:rekeyed"),
        ("delete", "team:deleted"),
    ],
)
def test_each_act_on_a_team_is_on_record(make_team, alice, carol, act, event):
    team = make_team(alice)
    about = {"actor": alice.user.pk, "subject": team.pk}
    assert outcomes_of("team:made", **about) == ["intended", "done"]
    if act == "take out":
        team.add(carol)
    before = outcomes_of(event, **about)
    ACTS[act](alice.keyring, team, carol.user)
    assert outcomes_of(event, **about) == [*before, "intended", "done"]


@pytest.mark.attack("F145")
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("who", "refusal"), [("mallory", NotYours), ("bob", NotAllowed), ("carol", AccessEnded)]
)
def test_only_its_owner_acts_on_a_team(team, image, bob, carol, mallory, act, who, refusal):
    team.add(carol)
    team.take_out(carol)
    person = {"mallory": mallory, "bob": bob, "carol": carol}[who]
    before = Statement.objects.count()
    with pytest.raises(refusal):
        ACTS[act](person.keyring, team, bob.user)
    assert Statement.objects.count() == before
    assert opened(bob, image).startswith(JPEG)


@pytest.mark.attack("F145")
@pytest.mark.parametrize(("who", "refusal"), [("mallory", NotYours), ("carol", AccessEnded)])
def test_who_is_not_in_a_team_shares_nothing_with_it_and_learns_nobody_in_it(
    team, alice, bob, carol, mallory, upload, who, refusal
):
    team.add(carol)
    team.take_out(carol)
    lets_members_share(team)
    person = {"mallory": mallory, "carol": carol}[who]
    album = making.make_circle(
        keyring=person.keyring, title="Sea", description="", members_add=False
    )
    with pytest.raises(refusal):
        album_sharing.share_circle(
            keyring=person.keyring,
            circle_id=album.pk,
            recipients=[],
            terms=DOWNLOAD,
            teams=[team.pk],
        )
    with pytest.raises(refusal):
        team_of(team.pk, reader=person.user, heads=Opener(person.keyring))


@pytest.mark.attack("F145")
def test_members_share_with_those_who_join_later_only_where_the_owner_signed_it(
    team, theirs, bob, carol
):
    with pytest.raises(NotAllowed):
        shared_with_team(team, theirs, by=bob)
    lets_members_share(team)
    shared_with_team(team, theirs, by=bob)
    team.add(carol)
    assert opened(carol, theirs).startswith(JPEG)
    (done,) = [
        entry.parsed() for entry in AuditEntry.objects.filter(event="image:shared", outcome="done")
    ]
    assert done.facts["teams"] == [str(team.pk)]


@pytest.mark.attack("F145")
def test_an_album_and_a_team_are_not_reached_at_each_others_address(team, album, alice, bob):
    for circle, kind in ((team.pk, Circle.Kind.ALBUM), (album.pk, TEAM)):
        with pytest.raises(NotYours):
            deleting.delete_circle(keyring=alice.keyring, circle_id=circle, kind=kind)
        with pytest.raises(NotYours):
            rekeying.revoke_member(
                keyring=alice.keyring, circle_id=circle, recipient=bob.user, kind=kind
            )
    with pytest.raises(NotYours):
        shared_with_team(type(team)(alice, album), _image(alice))


def _image(owner):
    from tests.rows.world import sent

    owner.sign_in()
    return sent(owner, owner, "navy")


def test_one_member_more_costs_one_wrapping_however_much_is_shared_with_the_team(
    team, image, album, placed, carol, monkeypatch
):
    from accounts.keys import content_keys

    calls, real = [], content_keys.wrap

    def counted(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(content_keys, "wrap", counted)
    before = Statement.objects.count()
    team.add(carol)
    assert (len(calls), Statement.objects.count() - before) == (1, 1)
    assert opened(carol, image).startswith(JPEG)
    assert opened(carol, placed).startswith(JPEG)


def test_who_is_in_a_team_is_told_so_and_everybody_in_it_sees_who_is(team, bob):
    notice = Notice.objects.get(person=bob.user)
    assert b'"team":"%s"' % str(team.pk).encode() in bytes(notice.body)
    opener = Opener(bob.keyring)
    people = people_in(team_of(team.pk, reader=bob.user, heads=opener), opener)
    assert [one.reader.username for one in people] == ["alice", "bob"]


# ---- acts that meet --------------------------------------------------------------------------


@pytest.mark.attack("F143")
def test_an_image_shared_while_the_teams_next_key_is_made_is_under_that_key(
    team, image, alice, bob, carol, upload, monkeypatch
):
    team.add(carol)
    later, real, calls = upload(), rekeying._commit, []

    def after_sharing(*arguments):
        if not calls:
            calls.append(1)
            shared_with_team(team, later)
        return real(*arguments)

    monkeypatch.setattr(rekeying, "_commit", after_sharing)
    team.take_out(bob)
    assert set(Placement.objects.values_list("epoch", flat=True)) == {2}
    assert opened(carol, later).startswith(JPEG)
    fails(bob, later, AccessEnded)


@pytest.mark.attack("F143")
@pytest.mark.parametrize("what", ["image", "album"])
def test_what_was_wrapped_under_the_key_before_is_not_stored_after_the_next_one(
    team, alice, bob, carol, upload, monkeypatch, what
):
    team.add(carol)
    later, calls = upload(), []
    album = making.make_circle(
        keyring=alice.keyring, title="Lake", description="", members_add=True
    )
    placing.place_image(keyring=alice.keyring, circle_id=album.pk, image_id=later.pk)
    module = image_sharing if what == "image" else album_sharing
    real = module.store_shared

    def after_the_next_key(*arguments, **options):
        if not calls:
            calls.append(1)
            team.take_out(bob)
        return real(*arguments, **options)

    monkeypatch.setattr(module, "store_shared", after_the_next_key)
    if what == "image":
        shared_with_team(team, later)
    else:
        album_sharing.share_circle(
            keyring=alice.keyring,
            circle_id=album.pk,
            recipients=[],
            terms=DOWNLOAD,
            teams=[team.pk],
        )
    assert calls == [1]
    assert opened(carol, later).startswith(JPEG)
    with pytest.raises((AccessEnded, NotYours)):
        opened(bob, later)


@pytest.mark.attack("F143")
def test_an_album_that_gets_its_next_key_while_the_team_does_opens_under_both(
    team, album, placed, alice, bob, carol, monkeypatch
):
    team.add(carol)
    real, calls = rekeying._commit, []

    def after_the_albums(*arguments):
        if not calls:
            calls.append(1)
            rekeying.rekey(keyring=alice.keyring, circle_id=album.pk)
        return real(*arguments)

    monkeypatch.setattr(rekeying, "_commit", after_the_albums)
    team.take_out(bob)
    row = Member.objects.get(team=team.pk)
    assert (row.team_epoch, Circle.objects.get(pk=album.pk).epoch, team.now.epoch) == (2, 2, 2)
    assert opened(carol, placed).startswith(JPEG)


def test_both_activity_pages_say_that_a_team_lost_an_image(alice, team, image):
    placing.take_out(keyring=alice.keyring, circle_id=team.pk, image_id=image.pk, kind=TEAM)
    page = alice.unlocked().get(f"/images/{image.pk}/activity/").content.decode()
    assert "You ended a team’s access." in page
    own = alice.client.get("/activity/mine/").content.decode()
    assert "You ended a team’s access to an image." in own
