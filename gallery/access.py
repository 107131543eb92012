"""Who may see what: the one authorisation query."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from accounts.models import User, WrappedKey
from audit.unreadable import unreadable_columns
from gallery.errors import AccessEnded, Altered, NotAllowed, NotYours
from gallery.models import Circle, Grant, Listed, Member, Placement, Rights, SealedImage


@dataclass(frozen=True)
class Through:
    """The way to an image through an album: its reader is a member, and the image is in it."""

    member: Member
    placement: Placement


@dataclass(frozen=True)
class Access:
    """A person's access to an image: by a grant of their own, or through an album."""

    reader: User
    way: Grant | Through

    @property
    def rows(self) -> list[Grant | Member | Placement]:
        """The rows that all have to hold; the first one is about the image."""
        if isinstance(self.way, Grant):
            return [self.way]
        return [self.way.placement, self.way.member]

    @property
    def as_grant(self) -> Grant:
        """This access as one row: through an album, one that is stored nowhere."""
        if isinstance(self.way, Grant):
            return self.way
        return Grant(image=self.image, reader=self.reader, rights=self.rights, ends_at=self.ends_at)

    @property
    def image(self) -> SealedImage:
        return self.way.image if isinstance(self.way, Grant) else self.way.placement.image

    @property
    def wrapped_key(self) -> WrappedKey | None:
        """What is wrapped to the reader: the image's content key, or the album's key."""
        row = self.way if isinstance(self.way, Grant) else self.way.member
        return row.wrapped_key

    @property
    def granted_at(self) -> datetime:
        return max(row.granted_at for row in self.rows)

    @property
    def rights(self) -> str:
        """What every row allows."""
        every = all(row.rights == Rights.DOWNLOAD for row in self.rows)
        return Rights.DOWNLOAD.value if every else Rights.VIEW.value

    @property
    def ends_at(self) -> datetime | None:
        """The earliest end."""
        return min((row.ends_at for row in self.rows if row.ends_at), default=None)

    @property
    def state(self) -> tuple[object, ...]:
        """What differs once an owner's act changed something of this access."""
        salts = tuple(bytes(row.salt) for row in self.rows)
        epoch = None if isinstance(self.way, Grant) else self.way.member.circle.epoch
        return self.image.lock, self.image.keep_until, epoch, salts

    @property
    def is_owner(self) -> bool:
        return self.image.owner_id == self.reader.pk

    def require(self, rights: str) -> None:
        """Return if this right is held. Raises NotAllowed."""
        if rights == Rights.DOWNLOAD and self.rights != Rights.DOWNLOAD:
            raise NotAllowed

    def require_owner(self) -> None:
        if not self.is_owner:
            raise NotAllowed


def access_to(image_id: uuid.UUID, *, reader: User) -> Access:
    """Return the reader's best access: with the right to download before one to view, and a grant
    of their own before an album.

    Raises NotYours, Altered, or AccessEnded for a former reader: one whose access was revoked,
    whose time is over, or whose image or album was deleted.
    """
    ways: list[Access] = []
    for access in _ways_to(image_id, reader):
        if _is_live(access) and access.rights == Rights.DOWNLOAD:
            return access
        ways.append(access)
    if not ways:
        raise NotYours
    for access in filter(_is_live, ways):
        return access
    for access in ways:
        if any(map(unreadable_columns, access.rows)):  # an end that cannot be read counts as over
            raise Altered("grant")
    raise AccessEnded(max(map(_over, ways), key=_end_of))


def membership_of(album_id: uuid.UUID, *, reader: User) -> Member:
    """Return the reader's membership of an album. Raises NotYours, Altered, or AccessEnded for a
    former member."""
    members = Member.objects.filter(
        circle=album_id, circle__kind=Circle.Kind.ALBUM, reader=reader
    ).select_related("circle__owner", "wrapped_key__key_pair")
    member = members.order_by(F("ended_at").desc(nulls_first=True)).first()
    if member is None:
        raise NotYours
    if unreadable_columns(member):
        raise Altered("member")
    if has_ended(member):
        raise AccessEnded(member)
    return member


def _ways_to(image_id: uuid.UUID, reader: User) -> Iterator[Access]:
    """Yield the ways there are or were: most readers have one, and albums are not asked then."""
    grants = Grant.objects.filter(image_id=image_id, reader=reader)
    grants = grants.select_related("image__owner", "wrapped_key__key_pair")
    if grant := grants.order_by(F("ended_at").desc(nulls_first=True)).first():
        yield Access(reader, grant)
    members = Member.objects.filter(reader=reader, circle__placements__image=image_id)
    members = members.select_related("circle__owner", "wrapped_key__key_pair").distinct()
    for member in members:
        placements = Placement.objects.filter(circle=member.circle_id, image=image_id)
        for placement in placements.select_related("image__owner"):
            placement.circle = member.circle
            if _were_at_once(member, placement):
                yield Access(reader, Through(member, placement))


def _were_at_once(member: Member, placement: Placement) -> bool:
    """Whether the image was in the album while its reader was a member."""
    if has_ended(member) and placement.granted_at >= _end_of(member):
        return False
    return not has_ended(placement) or member.granted_at < _end_of(placement)


def _is_live(access: Access) -> bool:
    return not any(has_ended(row) or unreadable_columns(row) for row in access.rows)


def _over(access: Access) -> Grant | Member | Placement:
    """Return the row by which this access was over first."""
    return min(filter(has_ended, access.rows), key=_end_of)


def _end_of(row: Listed) -> datetime:
    """Return when an ended row ended."""
    return min(end for end in (row.ended_at, row.ends_at) if end)


def has_ended(grant: Listed) -> bool:
    return grant.ended_at is not None or (
        grant.ends_at is not None and grant.ends_at <= timezone.now()
    )
