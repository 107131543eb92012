"""Who may open an image, as its owner signed it.

A row is only an index: anybody who can write to the database can insert or change one. So code that
signs a new list, or wraps a key, begins from what the newest signed list says.
"""

import uuid
from dataclasses import dataclass

from cryptocore import entries
from gallery.access import has_ended
from gallery.members import put_out
from gallery.models import Grant, InvitedGrant, Placement, Row, SealedImage
from gallery.opening import Opener
from gallery.sealing import SHARE


@dataclass(frozen=True)
class Readers:
    """The rows that hold now: those the owner signed (people, the owner first; albums and teams;
    people with an invitation), and those nobody did.

    Of one holder one row is signed: a copy of it would keep its reader in when the other one ends.
    """

    signed: list[Grant]
    placed: list[Placement]
    invited: list[InvitedGrant]
    unsigned: list[Row]

    @property
    def beside(self) -> list[Placement | InvitedGrant]:
        """What stands on the list besides people."""
        return [*self.placed, *self.invited]


def readers_as_signed(image: SealedImage, opener: Opener) -> Readers:
    """Return the rows of an image. Raises Altered if its share statement does not verify."""
    signed: dict[tuple[str, uuid.UUID], Row] = {}
    rows: list[Row] = [*live_grants(image), *_live_placements(image), *_live_invited(image)]
    for row in rows:
        if opener.is_signed(row):
            signed.setdefault(row.holder, row)
    return Readers(
        [row for row in signed.values() if isinstance(row, Grant)],
        [row for row in signed.values() if isinstance(row, Placement)],
        [row for row in signed.values() if isinstance(row, InvitedGrant)],
        [row for row in rows if signed.get(row.holder) is not row],
    )


def everybody_signed_has_a_row(image: SealedImage, opener: Opener) -> bool:
    """Whether no row of a signed reader is hidden: an album that put the image out itself hides
    none. Raises as readers_as_signed() does."""
    placements = image.placements.select_related("image__owner", "circle")
    rows: list[Row] = [
        *image.grants.filter(ended_at=None).select_related("image__owner"),
        *placements.filter(ended_at=None),
        *put_out(placements.exclude(ended_at=None)),
        *image.invited.filter(ended_at=None).select_related("image__owner", "invitation"),
    ]
    let_in = {
        entries.entry_digest(bytes(row.entry), bytes(row.salt))
        for row in rows
        if opener.is_signed(row)
    }
    return let_in == {*opener.head(SHARE, image)["entries"]}


def live_grants(image: SealedImage) -> list[Grant]:
    """Return the rows that say they hold now, the owner's first; proves nothing."""
    rows = image.grants.filter(ended_at=None).select_related("reader", "wrapped_key__key_pair")
    live = [grant for grant in rows.order_by("granted_at") if not has_ended(grant)]
    return sorted(live, key=lambda grant: grant.reader_id != image.owner_id)


def _live_placements(image: SealedImage) -> list[Placement]:
    rows = image.placements.filter(ended_at=None).select_related("circle")
    return [row for row in rows.order_by("granted_at") if not has_ended(row)]


def _live_invited(image: SealedImage) -> list[InvitedGrant]:
    rows = image.invited.filter(ended_at=None).select_related(
        "invitation__wrapped_key__key_pair", "image"
    )
    live = (row for row in rows.order_by("granted_at") if not has_ended(row))
    return [row for row in live if not row.is_over]
