"""Who may open an image, as its owner signed it.

A grant's row is only an index: anybody who can write to the database can insert or change one. So
code that signs a new list, or wraps a key, begins from what the newest signed list says.
"""

import uuid
from dataclasses import dataclass

from cryptocore import entries
from gallery.access import has_ended
from gallery.models import Grant, SealedImage
from gallery.opening import Opener
from gallery.sealing import SHARE


@dataclass(frozen=True)
class Readers:
    """The grants that hold now: those the owner signed, the owner's first, and those nobody did.

    Of one person one row is signed: a copy of it would keep its reader in when the other one ends.
    """

    signed: list[Grant]
    unsigned: list[Grant]


def readers_as_signed(image: SealedImage, opener: Opener) -> Readers:
    """Return the grants of an image. Raises Altered if its share statement does not verify."""
    grants = live_grants(image)
    signed: dict[uuid.UUID, Grant] = {}
    for grant in grants:
        if opener.is_signed(grant):
            signed.setdefault(grant.reader_id, grant)
    others = [grant for grant in grants if signed.get(grant.reader_id) is not grant]
    return Readers([*signed.values()], others)


def everybody_signed_has_a_row(image: SealedImage, opener: Opener) -> bool:
    """Whether no row of a signed reader is hidden. Raises as readers_as_signed() does."""
    rows = image.grants.filter(ended_at=None).select_related("image__owner")
    let_in = {
        entries.entry_digest(bytes(grant.entry), bytes(grant.salt))
        for grant in rows
        if opener.is_signed(grant)
    }
    return let_in == {*opener.head(SHARE, image)["entries"]}


def live_grants(image: SealedImage) -> list[Grant]:
    """Return the rows that say they hold now, the owner's first; proves nothing."""
    rows = image.grants.filter(ended_at=None).select_related("reader", "wrapped_key__key_pair")
    live = [grant for grant in rows.order_by("granted_at") if not has_ended(grant)]
    return sorted(live, key=lambda grant: grant.reader_id != image.owner_id)
