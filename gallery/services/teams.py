"""Teams: named groups of people, to share images and albums with.

What is done with a team that is done with an album, too, is in gallery/services/circles/.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import KeyFacts, Reader, hold_people, recipient_of
from accounts.models import User
from audit.events import Event, recorded
from gallery.access import membership_of
from gallery.circle_keys import CircleOpener
from gallery.errors import Altered, NotAllowed
from gallery.heads import Heads
from gallery.members import members_as_signed
from gallery.models import Circle, Ended, Member, Row
from gallery.sealing import MEMBERSHIP, head_of
from gallery.services.acts import end_rows, hold, starting_anew
from gallery.services.circles.acts import put_off_under_key_of

TEAM = Circle.Kind.TEAM


def teams_of(person: User) -> QuerySet[Member]:
    """Return a person's live memberships of teams, as rows say; proves nothing."""
    live = {"circle__kind": TEAM, "circle__deleted_at": None}
    rows = Member.objects.filter(reader=person, ended_at=None, **live)
    return rows.exclude(ends_at__lte=timezone.now())


def team_of(team_id: uuid.UUID, *, reader: User, heads: Heads) -> Circle:
    """Return a team whose owner signed that this person is in it. Raises NotYours, AccessEnded or
    Altered."""
    member = membership_of(team_id, reader=reader, kind=TEAM)
    heads.membership(member.circle)
    if not heads.is_signed(member):
        raise Altered("member")
    return member.circle


def people_in(team: Circle, heads: Heads, rows: Iterable[Row] | None = None) -> list[Member]:
    """Return the members of now as the owner signed them, the owner first. Raises as
    members_as_signed() does."""
    return [member for member in members_as_signed(team, heads, rows).signed if member.reader]


def require_sharing(team: Circle, *, reader: User, heads: Heads) -> None:
    """Return if this person may share with whoever is in the team, later too: its owner may, others
    where the owner signed that. Raises NotAllowed or Altered."""
    if team.owner_id != reader.pk and not heads.membership(team)["members_add"]:
        raise NotAllowed


def readers_of_now(team: Circle, *, besides: User, heads: Heads) -> list[Reader]:
    """Return the people who are in the team now, each by themselves, to share with. Raises Altered,
    NoKeys or AuditUnavailable."""
    members = [member.reader for member in people_in(team, heads) if member.reader]
    people = [person for person in members if person != besides and person.is_active]
    facts = KeyFacts(person.pk for person in people)
    return [recipient_of(person, facts) for person in people]


@sensitive_variables()
def team_to_share_with(team_id: uuid.UUID, opener: CircleOpener, *, reader: User) -> Circle:
    """Return a team with which this person may share, whose key they have. Raises NotYours,
    NotAllowed, AccessEnded, Altered, OtherSigner or Waiting."""
    member = membership_of(team_id, reader=reader, kind=TEAM)
    opener.circle_key_for(member)
    require_sharing(member.circle, reader=reader, heads=opener)
    return member.circle


# ---- leaving ---------------------------------------------------------------------------------


def leave_team(*, person: User, team_id: uuid.UUID) -> None:
    """End a person's own membership, and what they shared with the team: at once, and without a key
    of anybody's. It can only refuse; the team's owner signs the list without them, under its next
    key, at their next page.

    Raises NotYours, AccessEnded, Altered, AuditUnavailable, or NotAllowed for the owner.
    """
    starting_anew(lambda: _leave_once(person, team_id))


def _leave_once(person: User, team_id: uuid.UUID) -> None:
    team = membership_of(team_id, reader=person, kind=TEAM).circle
    if team.owner_id == person.pk:
        raise NotAllowed
    # The owner's next act believes the trail's table, and no row (gallery/members.py).
    with recorded(Event.TEAM_LEFT, actor=person.pk, subject=team.pk, in_table=True):
        with transaction.atomic():
            hold(team, head_of(MEMBERSHIP, team.pk))
            put_off_under_key_of(team, owner=person)
            hold_people([person])
            end_rows(team.members.filter(reader=person, ended_at=None), Ended.LEFT)
            own_images = team.placements.filter(image__owner=person, ended_at=None)
            own_albums = team.teams_albums.filter(circle__owner=person, ended_at=None)
            for rows in (own_images, own_albums):
                end_rows(rows, Ended.REVOKED)
            Circle.objects.filter(pk=team.pk).update(rekey_after=timezone.now())
        truncate_write_ahead_log()
