"""What the page of successors says: whom one named, and what one can take over of whom."""

import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import ngettext

from accounts.keys.names import certified_name, prefetch_names
from accounts.keys.remembered import accounts_disabled
from accounts.models import User
from gallery import presenting
from gallery.access import with_owners
from gallery.album_cards import AlbumCard, cards, memberships_of, shown_members
from gallery.errors import GalleryError
from gallery.models import Circle, Member, Subject
from gallery.opening import Opener
from gallery.services.successors import (
    SUCCESSORS,
    circle_of,
    circles_of,
    circles_without_key,
    images_without_key,
    successors_of,
)
from gallery.services.taking_over import count_images_to_take_over
from gallery.services.taking_over_circles import kinds_to_take_over

IMAGE, ALBUM, TEAM = KINDS = "image", "album", "team"
# How many there are, by what they are: an image, an album or a team.
Amounts = Counter[str]


def kind_of(subject: Subject) -> str:
    return subject.kind if isinstance(subject, Circle) else IMAGE


def amounts_in_words(amounts: Amounts) -> str:
    """Return "2 images, 1 album", or an empty text for nothing."""
    images, albums, teams = (amounts[kind] for kind in KINDS)
    words = (
        (images, ngettext("%(count)s image", "%(count)s images", images)),
        (albums, ngettext("%(count)s album", "%(count)s albums", albums)),
        (teams, ngettext("%(count)s team", "%(count)s teams", teams)),
    )
    return ", ".join(word % {"count": count} for count, word in words if count)


@dataclass(frozen=True)
class Naming:
    """Somebody who named the person a successor. `album`: for that one alone, which `is_yours` once
    the person took it over; `there`: of a disabled owner, how much there is to take over;
    `without_key`: how much was never handed over."""

    owner: uuid.UUID
    album: uuid.UUID | None
    name: str
    username: str | None
    since: datetime
    is_disabled: bool
    is_yours: bool
    there: Amounts
    without_key: Amounts

    @property
    def what(self) -> str:
        return amounts_in_words(self.there)

    @property
    def what_is_without_key(self) -> str:
        return amounts_in_words(self.without_key)


def named_by_owner(owner: User, album_id: uuid.UUID | None = None) -> dict[str, Any]:
    """Return whom this owner named, for everything or for one album alone, and what is not handed
    over yet. Raises Altered or TrailAway."""
    circle = circle_of(owner, album_id)
    named = successors_of(owner, album_id)
    left = _left_of(circle) if circle and named else Amounts()
    prefetch_names(row.reader for row in named if row.reader)
    return {
        "named": [
            {
                **asdict(presenting.person_of(row.reader)),
                "since": row.granted_at,
                "waiting": row.wrapped_key is None,
            }
            for row in named
            if row.reader
        ],
        "left": left.total(),
        "what_is_left": amounts_in_words(left),
    }


def albums_with_their_own(owner: User, opener: Opener) -> list[AlbumCard]:
    """Return the owner's albums for which they named somebody alone, as rows say, by title: the
    page of each shows whom they signed."""
    albums = circles_of(owner).exclude(album=None).values("album")
    own = memberships_of(owner).filter(circle__in=albums, circle__owner=owner)
    return sorted(cards(shown_members(own, owner), opener), key=lambda card: card.title.casefold())


def _left_of(circle: Circle) -> Amounts:
    """Return how much is not handed over yet."""
    circles = circles_without_key(circle).values_list("kind", flat=True)
    images = 0 if circle.album_id else images_without_key(circle).count()
    return Counter({IMAGE: images}) + Counter(circles)


def namings_of(person: User, opener: Opener) -> list[Naming]:
    """Return who named this person, as they signed it; no trouble of one keeps the others."""
    rows = Member.objects.filter(
        reader=person, ended_at=None, circle__kind=SUCCESSORS, circle__deleted_at=None
    ).exclude(circle__owner=person)
    rows = rows.exclude(ends_at__lte=timezone.now()).select_related(
        "circle__owner", "circle__album"
    )
    opener.prepare(with_owners(row.circle for row in rows))
    prefetch_names(row.circle.owner for row in rows)
    signed = [row for row in rows if _is_signed(row, opener)]
    disabled = accounts_disabled({row.circle.owner_id for row in signed})
    amounts = _amounts_of([row for row in signed if row.circle.owner_id in disabled])
    return [_naming(row, amounts.get(row.circle_id)) for row in signed if _is_theirs(row)]


def _is_theirs(row: Member) -> bool:
    """Whether the owner, or who took it over from them, has the album of which these are the
    successors: what somebody else took over is nothing to wait for."""
    album = row.circle.album
    return album is None or album.owner_id in (row.circle.owner_id, row.reader_id)


def _amounts_of(members: list[Member]) -> dict[uuid.UUID, tuple[Amounts, Amounts]]:
    """Return, by circle of successors, how much there is, and how much can be taken over."""
    images, circles = count_images_to_take_over(members), kinds_to_take_over(members)
    return {
        pk: (Counter({IMAGE: all_images}) + there, Counter({IMAGE: images_can}) + can)
        for pk, (all_images, images_can) in images.items()
        for there, can in [circles[pk]]
    }


def _is_signed(row: Member, opener: Opener) -> bool:
    with suppress(GalleryError):
        opener.check_member(row)
        return True
    return False


def _naming(row: Member, amounts: tuple[Amounts, Amounts] | None) -> Naming:
    """`amounts`: of a disabled owner, how much there is, and how much can be taken over."""
    owner, album = row.circle.owner, row.circle.album
    name = certified_name(owner)
    there, can = amounts or (Amounts(), Amounts())
    return Naming(
        owner=owner.pk,
        album=row.circle.album_id,
        name=name.in_full,
        username=name.username,
        since=row.granted_at,
        is_disabled=amounts is not None,
        is_yours=album is not None and album.owner_id == row.reader_id,
        there=can,
        without_key=there - can,
    )


def naming_json(naming: Naming) -> dict[str, Any]:
    return {
        "owner": str(naming.owner),
        "album": str(naming.album) if naming.album else None,
        "username": naming.username,
        "since": naming.since,
        "is_disabled": naming.is_disabled,
        "images": naming.there[IMAGE],
        "albums": naming.there[ALBUM],
        "teams": naming.there[TEAM],
        "without_key": naming.without_key.total(),
    }
