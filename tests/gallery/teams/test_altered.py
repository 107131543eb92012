"""Whatever anybody writes into the rows of a team: refused, and found."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import WrappedKey
from gallery.access import membership_of
from gallery.beside import wrap_for_circle
from gallery.errors import AccessEnded, Altered, GalleryError, NotYours
from gallery.models import Circle, Member, Placement, Statement
from gallery.opening import Opener
from gallery.sealing import set_entry
from gallery.services.circles import acts, making
from gallery.services.circles.sharing import share_circle
from gallery.services.teams import team_of
from gallery.services.uploading import Terms
from gallery.verification.sweep import Sweep
from tests.conftest import jpeg
from tests.gallery.teams.conftest import DOWNLOAD, TEAM, fails, opened, shared_with_team
from tests.trail import outcomes_of

REFUSED = (Altered, AccessEnded, NotYours)


def kinds_found() -> set[str]:
    sweep = Sweep(reads_bytes=True, progress=lambda images: None)
    return {finding.kind.name for finding in sweep.run()}


def copied(row, **changes):
    """Insert a copy of a row, as anybody can who writes to the database."""
    row.pk = None
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


# ---- moved elsewhere -------------------------------------------------------------------------


@pytest.mark.attack("F143")
def test_a_teams_place_on_another_image_opens_nothing(team, image, upload, bob):
    other = upload(data=jpeg("red"))
    moved = copied(Placement.objects.get(), image=other)
    assert fails(bob, other, Altered).step == "entry"
    Placement.objects.filter(pk=moved.pk).delete()
    shared_with_team(team, other)  # listed now: with the key of the other image
    wrapped = Placement.objects.get(image=image).wrapped
    Placement.objects.filter(image=other).update(wrapped=wrapped)
    assert fails(bob, other, Altered).step == "placement"


@pytest.mark.attack("F143")
def test_the_place_of_another_team_opens_nothing(team, image, make_team, alice, carol):
    other = make_team(alice, "Night shift")
    other.add(carol)
    moved = copied(Placement.objects.get(), circle=other.circle)
    assert fails(carol, image, Altered).step == "entry"
    Placement.objects.filter(pk=moved.pk).delete()
    shared_with_team(other, image)
    wrapped = Placement.objects.get(circle=team.pk).wrapped
    Placement.objects.filter(circle=other.pk).update(wrapped=wrapped)
    assert fails(carol, image, Altered).step == "placement"


@pytest.mark.attack("F143")
def test_a_teams_row_on_another_album_opens_nothing(team, album, placed, alice, bob, upload):
    other = making.make_circle(
        keyring=alice.keyring, title="Sea", description="", members_add=False
    )
    moved = copied(Member.objects.get(team=team.pk), circle=other)
    with pytest.raises(Altered):
        Opener(bob.keyring).details(membership_of(other.pk, reader=bob.user))
    Member.objects.filter(pk=moved.pk).delete()
    share_circle(
        keyring=alice.keyring, circle_id=other.pk, recipients=[], terms=DOWNLOAD, teams=[team.pk]
    )
    wrapped = Member.objects.get(circle=album.pk, team=team.pk).wrapped
    Member.objects.filter(circle=other.pk, team=team.pk).update(wrapped=wrapped)
    with pytest.raises(Altered) as altered:
        Opener(bob.keyring).details(membership_of(other.pk, reader=bob.user))
    assert altered.value.step == "member"


@pytest.mark.attack("F143")
def test_a_row_of_another_team_on_the_album_opens_nothing(
    team, album, placed, make_team, alice, carol, mallory
):
    """Mallory made a team of her own, and put it on alice's album."""
    own = make_team(mallory, "Imaging desk")
    forged = Member(circle=album, team=own.circle, team_epoch=1, granted_at=timezone.now())
    set_entry(forged, rights="download", ends_at=None)
    forged.wrapped = Member.objects.get(team=team.pk).wrapped
    forged.save()
    assert fails(mallory, placed, Altered).step == "member"
    Member.objects.filter(pk=forged.pk).delete()
    Member.objects.filter(team=team.pk).update(team=own.circle)
    assert fails(mallory, placed, Altered).step == "member"


@pytest.mark.attack("F143")
def test_a_membership_that_nobody_signed_opens_nothing_and_becomes_true_at_no_act(
    team, image, album, placed, alice, bob, carol, mallory
):
    forged = Member(circle=team.circle, reader=mallory.user, granted_at=timezone.now())
    set_entry(forged, rights="download", ends_at=None)
    forged.save()
    assert fails(mallory, image, Altered).step == "member"
    assert fails(mallory, placed, Altered).step == "member"
    with pytest.raises(Altered):
        team_of(team.pk, reader=mallory.user, heads=Opener(mallory.keyring))
    with pytest.raises(Altered):
        team.add(carol)
    team.take_out(bob)
    for one in (image, placed):
        fails(mallory, one, AccessEnded)


@pytest.mark.attack("F143")
def test_a_team_that_was_put_into_a_team_opens_nothing(team, image, make_team, mallory):
    own = make_team(mallory, "Night shift")
    forged = Member(circle=team.circle, team=own.circle, team_epoch=1, granted_at=timezone.now())
    set_entry(forged, rights="download", ends_at=None)
    forged.save()
    assert fails(mallory, image, Altered).step == "member"


@pytest.mark.attack("F143")
def test_a_member_cannot_put_another_key_on_an_album(team, album, placed, bob, carol):
    """Every member has the team's key; the album's own commitment decides."""
    team.add(carol)
    own = membership_of(team.pk, reader=bob.user, kind=TEAM)
    team_key, row = Opener(bob.keyring).circle_key_for(own), Member.objects.get(team=team.pk)
    row.circle = album
    wrap_for_circle(row, bytes(32), team_key, epoch=1)
    row.save()
    assert fails(carol, placed, Altered).step == "commitment"


@pytest.mark.attack("F143")
def test_a_chain_whose_rows_do_not_meet_or_are_not_all_signed_is_refused(
    team, album, make_team, alice, bob
):
    other, opener = make_team(alice, "Night shift"), Opener(bob.keyring)
    other.add(bob)
    member = membership_of(album.pk, reader=bob.user)
    opener.check_member(member)
    good, member.through = member.through, membership_of(other.pk, reader=bob.user, kind=TEAM)
    with pytest.raises(Altered):
        opener.check_member(member)
    good.rights, member.through = "view", good
    with pytest.raises(Altered):
        opener.check_member(member)


# ---- altered columns -------------------------------------------------------------------------

COLUMNS = {
    "rights": "view",
    "ends_at": timezone.now() + timedelta(days=9),
    "salt": bytes(32),
    "entry": b"{}",
    "team_epoch": 2,
    "wrapped": bytes(40),
}


@pytest.mark.attack("F143")
@pytest.mark.parametrize("column", [*COLUMNS, "team", "reader", "circle", "ended_at", "no epoch"])
def test_a_teams_row_altered_in_any_column_is_refused_and_found(
    team, album, placed, make_team, bob, column
):
    other = make_team(bob, "Night shift")
    changes = {
        **{name: {name: value} for name, value in COLUMNS.items()},
        "team": {"team": other.circle},
        "reader": {"team": None, "reader": bob.user},
        "circle": {"circle": other.circle},
        "ended_at": {"ended_at": timezone.now()},
        "no epoch": {"team_epoch": None},
    }
    assert Member.objects.filter(team=team.pk).update(**changes[column]) == 1
    with pytest.raises(REFUSED):
        opened(bob, placed)
    kinds = kinds_found()
    assert kinds & {"READER_UNSIGNED", "READER_GONE", "PLACE"} or column == "wrapped"


@pytest.mark.attack("F143")
@pytest.mark.parametrize(
    ("rows", "change"),
    [
        (Circle, {"kind": "album"}),
        (Circle, {"epoch": 2}),
        (Placement, {"rights": "view"}),
        (Placement, {"epoch": 2}),
        (Placement, {"lock": 2}),
        (Placement, {"wrapped": bytes(40)}),
    ],
)
def test_a_team_altered_in_a_column_is_refused_and_signed_by_nobody(
    team, image, alice, bob, carol, rows, change
):
    assert rows.objects.update(**change) == 1
    with pytest.raises(GalleryError):
        opened(bob, image)
    if rows is Circle:
        with pytest.raises(GalleryError):
            team.add(carol)
        assert Statement.objects.filter(kind="membership").count() == 2


@pytest.mark.attack("F143")
def test_an_altered_name_is_not_shown_and_signed_by_nobody(team, bob, carol):
    Circle.objects.update(details=bytes(64))
    with pytest.raises(Altered):
        Opener(bob.keyring).details(membership_of(team.pk, reader=bob.user, kind=TEAM))
    with pytest.raises(Altered):
        team.add(carol)
    assert bob.sign_in().get(f"/teams/{team.pk}/").status_code == 409
    assert outcomes_of("team:altered", actor=bob.user.pk, subject=team.pk) == ["failed"]


@pytest.mark.attack("F145")
def test_leave_to_share_that_was_written_into_the_row_is_none(team, alice, bob, theirs, carol):
    Circle.objects.update(members_add=True)
    with pytest.raises(GalleryError):
        shared_with_team(team, theirs, by=bob)
    team.add(carol)  # does not sign it either
    with pytest.raises(GalleryError):
        shared_with_team(team, theirs, by=bob)
    assert not Placement.objects.exists()


@pytest.mark.attack("F143")
def test_another_owner_of_the_row_is_not_whose_signature_it_is(team, image, bob, mallory):
    Circle.objects.update(owner=mallory.user)
    fails(bob, image, Altered)
    with pytest.raises(GalleryError):
        acts.own_circle(mallory.keyring, team.pk, TEAM)


@pytest.mark.attack("F143")
def test_a_key_of_another_epoch_is_not_the_teams(team, image, album, placed, alice, bob, carol):
    team.add(carol)
    key = WrappedKey.objects.get(member__reader=carol.user)
    before = Member.objects.get(team=team.pk)
    place = Placement.objects.get(circle=team.pk)
    team.take_out(bob)
    Member.objects.filter(team=team.pk).update(wrapped=before.wrapped)
    assert fails(carol, placed, Altered).step == "member"
    Member.objects.filter(team=team.pk).update(team_epoch=1)
    assert fails(carol, placed, Altered).step == "team-epoch"
    Placement.objects.filter(circle=team.pk).update(wrapped=place.wrapped)
    assert fails(carol, image, Altered).step == "placement"
    WrappedKey.objects.filter(member__reader=carol.user).update(
        oaep_bytes=key.oaep_bytes, quick_key=None
    )
    assert fails(carol, image, Altered).step == "wrapped-key"


# ---- older states: more of them in tests/rows/test_older_states.py ------------------------------


@pytest.mark.attack("F144")
def test_an_entry_of_an_older_statement_is_refused(team, album, placed, alice, bob):
    older = Member.objects.get(team=team.pk)
    share_circle(
        keyring=alice.keyring,
        circle_id=album.pk,
        recipients=[],
        terms=Terms("view", None),
        teams=[team.pk],
    )
    Member.objects.filter(team=team.pk).update(
        entry=older.entry, salt=older.salt, rights=older.rights
    )
    assert fails(bob, placed, Altered).step == "member"
