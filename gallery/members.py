"""Who is a member of a circle, as its owner signed it; and what is in one.

Rows are only an index, as an image's are (gallery/readers.py).
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched_of_each
from cryptocore import entries
from gallery.access import has_ended
from gallery.errors import Altered
from gallery.heads import Heads
from gallery.ledger import TrailAway
from gallery.models import Circle, Grant, InvitedGrant, Member, Placement, Row
from gallery.models.circles import NOBODY
from gallery.sealing import MEMBERSHIP

TEAM = Circle.Kind.TEAM


@dataclass(frozen=True)
class Members:
    """The rows that hold now: those the owner signed (people, the owner first, and teams; people
    with an invitation), and those nobody did. Of one holder one row is signed."""

    signed: list[Member]
    invited: list[InvitedGrant]
    unsigned: list[Row]


def members_as_signed(circle: Circle, opener: Heads, rows: Iterable[Row] | None = None) -> Members:
    """Return the rows of a circle, of those that live_rows() read of it if it did. Raises Altered
    if its membership statement does not verify."""
    signed: dict[tuple[str, uuid.UUID], Row] = {}
    read = live_rows([circle])[circle.pk] if rows is None else rows
    live = (row for row in read if not has_ended(row))
    open_rows = [row for row in live if not (isinstance(row, InvitedGrant) and row.is_over)]
    for row in open_rows:
        if opener.is_signed(row):
            signed.setdefault(row.holder, row)
    members = [row for row in signed.values() if isinstance(row, Member)]
    return Members(
        sorted(members, key=lambda member: member.reader_id != circle.owner_id),
        [row for row in signed.values() if isinstance(row, InvitedGrant)],
        [row for row in open_rows if signed.get(row.holder) is not row],
    )


def everybody_signed_is_a_member(circle: Circle, opener: Heads) -> bool:
    """Whether no row of a signed member is hidden: who left, and a team that put the album out, is
    not. Raises as members_as_signed() does."""
    ended = circle.members.exclude(ended_at=None).select_related("circle")
    rows = [*live_rows([circle])[circle.pk], *put_out(ended)]
    let_in = {
        entries.entry_digest(bytes(row.entry), bytes(row.salt))
        for row in rows
        if opener.is_signed(row)
    }
    return let_in == {*opener.head(MEMBERSHIP, circle)["entries"]}


def given_through(row: Placement | Member, opener: Heads) -> list[Grant | Member]:
    """Return what sharing with a team gives each person in it besides the owner of what is shared:
    rows that are stored nowhere, for their notices. Raises Altered."""
    team = row.circle if isinstance(row, Placement) else row.team
    people = [one.reader for one in members_as_signed(team, opener).signed] if team else []
    about: dict[str, Any] = {"rights": row.rights, "ends_at": row.ends_at}
    return [
        Grant(image=row.image, reader=person, **about)
        if isinstance(row, Placement)
        else Member(circle=row.circle, reader=person, **about)
        for person in people
        if person and person.is_active and person.pk != row.list_of.owner_id
    ]


def only_given_through(
    rows: Iterable[Row], direct: Iterable[Grant | Member], opener: Heads
) -> list[Grant | Member]:
    """Return what people have by these teams alone, who have no row of their own among the direct
    ones. What does not verify names nobody: that must not keep an owner from taking access
    back."""
    readers, given = {row.reader_id for row in direct}, list[Grant | Member]()
    for row in rows:
        if row.holder[0] == TEAM and isinstance(row, Placement | Member):
            with suppress(Altered, TrailAway):
                given += [one for one in given_through(row, opener) if one.reader_id not in readers]
    return given


def live_rows(circles: Iterable[Circle]) -> dict[uuid.UUID, list[Row]]:
    """Return what stands on the lists of these circles and has not ended: two queries for all."""
    by_id: dict[uuid.UUID | None, Circle] = {circle.pk: circle for circle in circles}
    of_these = {"circle__in": by_id, "ended_at": None}
    members = Member.objects.filter(**of_these).select_related(
        "reader", "team", "wrapped_key__key_pair"
    )
    invited = InvitedGrant.objects.filter(**of_these).select_related(
        "invitation__wrapped_key__key_pair"
    )
    rows: dict[uuid.UUID, list[Row]] = {circle.pk: [] for circle in by_id.values()}
    found: list[Member | InvitedGrant] = [
        *members.order_by("granted_at"),
        *invited.order_by("granted_at"),
    ]
    for row in found:
        if circle := by_id.get(row.circle_id):
            row.circle = circle
            rows[circle.pk].append(row)
    return rows


# ---- what others than the owner of a list ended ----------------------------------------------

Put = TypeVar("Put", Placement, Member)
DELETED = (Event.ALBUM_DELETED, Event.TEAM_DELETED)
ANY = (Outcome.INTENDED, Outcome.DONE, Outcome.FAILED)
PUTTING_OUT = (*DELETED, Event.ALBUM_REVOKED, Event.TEAM_REVOKED, Event.TEAM_LEFT)


def put_out(rows: Iterable[Put]) -> list[Put]:
    """Return those of these ended rows that were ended by somebody else than the owner whose list
    they are on:

    - a member left the team;
    - the circle was deleted, with images and albums of other people in it;
    - the owner of an image or album in the circle left it, or was taken out.

    The owner's signed list still has such a row until their next act. Only the trail's word counts:
    an end that stands in the row alone may have been written there by anybody. An act that was
    stored and killed before its end was recorded counts, too, or nobody could go on with it. Raises
    TrailAway.
    """
    ended = [row for row in rows if row.ended_at is not None]
    parts = [_whose_part(row) for row in ended]
    try:
        said = vouched_of_each(PUTTING_OUT, subjects={circle for circle, _ in parts}, outcomes=ANY)
    except AuditUnavailable:
        raise TrailAway from None
    said = {circle: _that_may_stand(leaves) for circle, leaves in said.items()}
    return [
        row
        for row, (circle, person) in zip(ended, parts, strict=True)
        if any(_ended_by(leaf, person, since=row.granted_at) for leaf in said[circle])
    ]


def _that_may_stand(leaves: list[Leaf]) -> list[Leaf]:
    """Return the acts that are done, and those that are intended and did not fail next."""
    after: dict[tuple[str, uuid.UUID | None], Leaf] = {}
    found = []
    for leaf in reversed(leaves):
        later = after.get((leaf.event, leaf.actor))
        after[leaf.event, leaf.actor] = leaf
        if leaf.outcome == Outcome.FAILED:
            continue
        if leaf.outcome == Outcome.DONE or later is None or later.outcome != Outcome.FAILED:
            found.append(leaf)
    return found


def _whose_part(row: Placement | Member) -> tuple[uuid.UUID, uuid.UUID]:
    """Return which circle a row hangs on, and by whose membership."""
    if isinstance(row, Member) and row.team_id is None:
        return row.circle_id, row.reader_id or NOBODY
    circle = row.team_id if isinstance(row, Member) else row.circle_id
    return circle or NOBODY, row.list_of.owner_id


def _ended_by(leaf: Leaf, person: uuid.UUID, *, since: datetime) -> bool:
    """Whether by this entry the circle was deleted, or this person left it or was taken out."""
    if leaf.event in DELETED:
        return True
    who = leaf.actor if leaf.event == Event.TEAM_LEFT else leaf.facts.get("reader")
    return str(who) == str(person) and leaf.time >= since
