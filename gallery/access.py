"""Who may open what, as the rows say: the only place that decides who may ask.

Whoever can write to the database can write a row. What the owner signed is asked next, by those
who open (gallery/opening.py, gallery/circle_keys.py).
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import User, WrappedKey
from audit.unreadable import unreadable_columns
from gallery.errors import AccessEnded, Altered, NotAllowed, NotYours
from gallery.models import (
    Circle,
    Grant,
    Listed,
    Member,
    Placement,
    Rights,
    SealedImage,
    Subject,
)


@dataclass(frozen=True)
class Through:
    """The way to an image through a circle: the image is in an album or a team, and its reader is a
    member of that, or of a team that is a member of the album (then `member` is the team's row)."""

    member: Member
    placement: Placement


@dataclass(frozen=True)
class Access:
    """A person's access to an image: by a grant of their own, or through an album or a team."""

    reader: User
    way: Grant | Through

    @property
    def rows(self) -> list[Grant | Member | Placement]:
        """The rows that all have to hold; the first one is about the image."""
        if isinstance(self.way, Grant):
            return [self.way]
        return [self.way.placement, *self.way.member.rows]

    @property
    def as_grant(self) -> Grant:
        """This access as one row: through a circle, one that is stored nowhere."""
        if isinstance(self.way, Grant):
            return self.way
        return Grant(image=self.image, reader=self.reader, rights=self.rights, ends_at=self.ends_at)

    @property
    def image(self) -> SealedImage:
        return self.way.image if isinstance(self.way, Grant) else self.way.placement.image

    @property
    def wrapped_key(self) -> WrappedKey | None:
        """What is wrapped to the reader: the image's content key, or the album's or team's key."""
        row = self.way if isinstance(self.way, Grant) else self.way.member.own
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
        epochs = tuple(row.circle.epoch for row in self.rows if isinstance(row, Member))
        return self.image.lock, self.image.keep_until, epochs, salts

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
    of their own before an album or a team.

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


def membership_of(
    circle_id: uuid.UUID, *, reader: User, kind: str | None = Circle.Kind.ALBUM
) -> Member:
    """Return the reader's membership of an album, or of another kind of circle (None: of either):
    a row of their own before that of a team they are in.

    Raises NotYours, Altered, or AccessEnded for a former member.
    """
    circles = Circle.objects.filter(pk=circle_id, **({"kind": kind} if kind else {}))
    ways = []
    for member in _memberships(reader, circles):
        if _all_live(member.rows):
            return member
        ways.append(member)
    if not ways:
        raise NotYours
    if any(unreadable_columns(row) for member in ways for row in member.rows):
        raise Altered("member")
    ended = [min(filter(has_ended, member.rows), key=_end_of) for member in ways]
    raise AccessEnded(max(ended, key=_end_of))


def memberships_of_each(
    circle_ids: Collection[uuid.UUID], *, reader: User
) -> dict[uuid.UUID, Member]:
    """Return what membership_of() returns of each of these circles, without those it refuses: two
    queries, or three, for all of them."""
    found: dict[uuid.UUID, Member] = {}
    for member in _memberships(reader, Circle.objects.filter(pk__in=circle_ids)):
        if _all_live(member.rows):
            found.setdefault(member.circle_id, member)
    return found


def _ways_to(image_id: uuid.UUID, reader: User) -> Iterator[Access]:
    """Yield the ways there are or were: most readers have one, and circles are not asked then."""
    grants = Grant.objects.filter(image_id=image_id, reader=reader)
    grants = grants.select_related("image__owner", "wrapped_key__key_pair")
    if grant := grants.order_by(F("ended_at").desc(nulls_first=True)).first():
        yield Access(reader, grant)
    circles = Circle.objects.filter(placements__image=image_id)
    for member in _memberships(reader, circles):
        placements = Placement.objects.filter(circle=member.circle_id, image=image_id)
        for placement in placements.select_related("image__owner"):
            placement.circle = member.circle
            if _were_at_once([placement, *member.rows]):
                yield Access(reader, Through(member, placement))


def live_accesses_to(image_ids: Collection[uuid.UUID], *, reader: User) -> dict[uuid.UUID, Access]:
    """Return a way to view each of these images, without those to which there is none: a grant of
    the reader's own before an album or a team. A page of sixty costs one query, or five."""
    grants = Grant.objects.filter(image__in=image_ids, reader=reader, ended_at=None)
    granted = (
        Access(reader, grant)
        for grant in grants.select_related("image__owner", "wrapped_key__key_pair")
    )
    found = {access.image.pk: access for access in granted if _is_live(access)}
    if others := [image_id for image_id in image_ids if image_id not in found]:
        for access in accesses_through_circles(reader, to=others):
            found.setdefault(access.image.pk, access)
    return found


def still_live(accesses: Iterable[Access]) -> set[uuid.UUID]:
    """Return the images of these accesses, read a moment ago, of which no row has ended since: one
    query for each kind of row."""
    read = {access.image.pk: {row.pk for row in access.rows} for access in accesses}
    pks = {pk for rows in read.values() for pk in rows}
    live: set[uuid.UUID] = set()
    for kind in (Grant, Placement, Member):
        rows = kind._default_manager.filter(pk__in=pks, ended_at=None)
        live |= set(rows.exclude(ends_at__lte=timezone.now()).values_list("pk", flat=True))
    return {image for image, rows in read.items() if rows <= live}


def asked_about(accesses: Iterable[Access]) -> set[uuid.UUID]:
    """Return what the trail is asked about to open these: images and circles, and their owners."""
    return with_owners(row.list_of for access in accesses for row in access.rows)


def with_owners(subjects: Iterable[Subject]) -> set[uuid.UUID]:
    return {pk for subject in subjects for pk in (subject.pk, subject.owner_id)}


def accesses_through_circles(
    reader: User, *, to: Collection[uuid.UUID] | None = None
) -> Iterator[Access]:
    """Yield the live ways to images, or to these, through albums and teams, more than one to some
    images."""
    there = Circle.objects.filter(deleted_at=None)
    if to is not None:
        there = there.filter(pk__in=Placement.objects.filter(image__in=to).values("circle"))
    members = [member for member in _memberships(reader, there) if _all_live(member.rows)]
    placed = Placement.objects.filter(circle__in={member.circle_id for member in members})
    placed = placed.filter(ended_at=None, image__deleted_at=None)
    if to is not None:
        placed = placed.filter(image__in=to)
    rows: dict[uuid.UUID, list[Placement]] = defaultdict(list)
    for placement in placed.select_related("image__owner"):
        rows[placement.circle_id].append(placement)
    for member in members:
        for placement in rows[member.circle_id]:
            placement.circle = member.circle
            access = Access(reader, Through(member, placement))
            if _is_live(access):
                yield access


def _memberships(reader: User, circles: QuerySet[Circle]) -> Iterator[Member]:
    """Yield the memberships there are or were of these circles: the reader's own, then those of
    teams they are or were in."""
    own = Member.objects.filter(reader=reader).select_related(
        "circle__owner", "wrapped_key__key_pair"
    )
    yield from own.filter(circle__in=circles)
    teams = Member.objects.filter(team__members__reader=reader, circle__in=circles)
    rows = list(teams.select_related("circle__owner").distinct())
    in_team: dict[uuid.UUID | None, list[Member]] = defaultdict(list)
    for through in own.filter(circle__in={row.team_id for row in rows}) if rows else ():
        in_team[through.circle_id].append(through)
    for row in rows:
        for through in in_team[row.team_id]:
            member = copy(row)
            member.through = through
            if _were_at_once(member.rows):
                yield member


def _were_at_once(rows: Sequence[Listed]) -> bool:
    """Whether these rows held together: the image was in the album while its reader was a
    member."""
    ends = map(_end_of, filter(has_ended, rows))
    return max(row.granted_at for row in rows) < min(ends, default=datetime.max.replace(tzinfo=UTC))


def _is_live(access: Access) -> bool:
    return _all_live(access.rows)


def _all_live(rows: Iterable[Listed]) -> bool:
    return not any(has_ended(row) or unreadable_columns(row) for row in rows)


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
