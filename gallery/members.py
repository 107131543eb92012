"""Who is a member of a circle, as its owner signed it; and what is in an album.

Rows are only an index, as an image's are (gallery/readers.py).
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from audit.events import AuditUnavailable, Event
from audit.vouched import vouched_of_each
from cryptocore import entries
from gallery.access import has_ended
from gallery.circle_keys import CircleOpener
from gallery.ledger import TrailAway
from gallery.models import Circle, InvitedGrant, Member, Placement, Row
from gallery.sealing import MEMBERSHIP


@dataclass(frozen=True)
class Members:
    """The rows that hold now: those the owner signed (people, the owner first; people with an
    invitation), and those nobody did. Of one holder one row is signed."""

    signed: list[Member]
    invited: list[InvitedGrant]
    unsigned: list[Row]


def members_as_signed(circle: Circle, opener: CircleOpener) -> Members:
    """Return the rows of a circle. Raises Altered if its membership statement does not verify."""
    signed: dict[tuple[str, uuid.UUID], Row] = {}
    live = (row for row in _live_rows(circle) if not has_ended(row))
    rows = [row for row in live if not (isinstance(row, InvitedGrant) and row.is_over)]
    for row in rows:
        if opener.is_signed(row):
            signed.setdefault(row.holder, row)
    members = [row for row in signed.values() if isinstance(row, Member)]
    return Members(
        sorted(members, key=lambda member: member.reader_id != circle.owner_id),
        [row for row in signed.values() if isinstance(row, InvitedGrant)],
        [row for row in rows if signed.get(row.holder) is not row],
    )


def everybody_signed_is_a_member(circle: Circle, opener: CircleOpener) -> bool:
    """Whether no row of a signed member is hidden. Raises as members_as_signed() does."""
    let_in = {_digest(row) for row in _live_rows(circle) if opener.is_signed(row)}
    return let_in == {*opener.head(MEMBERSHIP, circle)["entries"]}


def _live_rows(circle: Circle) -> list[Row]:
    members = circle.members.filter(ended_at=None).select_related("reader", "wrapped_key__key_pair")
    invited = circle.invited.filter(ended_at=None).select_related(
        "invitation__wrapped_key__key_pair"
    )
    rows: list[Row] = [*members.order_by("granted_at"), *invited.order_by("granted_at")]
    for row in rows:
        row.circle = circle  # type: ignore[union-attr]
    return rows


def _digest(row: Row) -> str:
    return entries.entry_digest(bytes(row.entry), bytes(row.salt))


# ---- images that an album put out ------------------------------------------------------------


def put_out(placements: Iterable[Placement]) -> list[Placement]:
    """Return which of these ended placements their albums ended: an album that was deleted, or
    whose owner took the owner of the image out of it.

    Each owner's share statement names the album until their next act on the image. The trail's
    word counts: of any other ended row somebody may have written the end. Raises TrailAway.
    """
    placements = [row for row in placements if row.ended_at is not None]
    albums = {row.circle_id for row in placements}
    try:
        said = vouched_of_each((Event.ALBUM_DELETED, Event.ALBUM_REVOKED), subjects=albums)
    except AuditUnavailable:
        raise TrailAway from None
    return [
        row
        for row in placements
        if any(
            leaf.event == Event.ALBUM_DELETED
            or (leaf.facts.get("reader") == str(row.image.owner_id) and leaf.time >= row.granted_at)
            for leaf in said[row.circle_id]
        )
    ]
