"""What the page of successors says: whom one named, and whose images one can take over."""

import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.keys.names import certified_name, prefetch_names
from accounts.keys.remembered import accounts_disabled
from accounts.models import User
from gallery import presenting
from gallery.access import with_owners
from gallery.errors import GalleryError
from gallery.models import Member
from gallery.opening import Opener
from gallery.services.successors import (
    SUCCESSORS,
    circle_of,
    images_without_key,
    successors_of,
)
from gallery.services.taking_over import images_to_take_over


@dataclass(frozen=True)
class Naming:
    """Somebody who named the person a successor. `images`: of a disabled owner, how many there are
    to take over; `without_key`: how many were never handed over."""

    owner: uuid.UUID
    name: str
    username: str | None
    since: datetime
    is_disabled: bool
    images: int
    without_key: int


def page_of(person: User, opener: Opener) -> dict[str, Any]:
    circle = circle_of(person)
    named = successors_of(person)
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
        "left": images_without_key(circle).count() if circle and named else 0,
        "named_by": namings_of(person, opener),
    }


def namings_of(person: User, opener: Opener) -> list[Naming]:
    """Return who named this person, as they signed it; no trouble of one keeps the others."""
    rows = Member.objects.filter(
        reader=person, ended_at=None, circle__kind=SUCCESSORS, circle__deleted_at=None
    ).exclude(circle__owner=person)
    rows = rows.exclude(ends_at__lte=timezone.now()).select_related("circle__owner")
    opener.prepare(with_owners(row.circle for row in rows))
    prefetch_names(row.circle.owner for row in rows)
    signed = [row for row in rows if _is_signed(row, opener)]
    disabled = accounts_disabled({row.circle.owner_id for row in signed})
    images = images_to_take_over([row for row in signed if row.circle.owner_id in disabled])
    return [_naming(row, images.get(row.circle.owner_id)) for row in signed]


def _is_signed(row: Member, opener: Opener) -> bool:
    with suppress(GalleryError):
        opener.check_member(row)
        return True
    return False


def _naming(row: Member, images: tuple[int, int] | None) -> Naming:
    """`images`: of a disabled owner, how many there are, and how many can be taken over."""
    owner = row.circle.owner
    name = certified_name(owner)
    there, can = images or (0, 0)
    return Naming(
        owner=owner.pk,
        name=name.in_full,
        username=name.username,
        since=row.granted_at,
        is_disabled=images is not None,
        images=can,
        without_key=there - can,
    )


def naming_json(naming: Naming) -> dict[str, Any]:
    return {
        "owner": str(naming.owner),
        "username": naming.username,
        "since": naming.since,
        "is_disabled": naming.is_disabled,
        "images": naming.images,
        "without_key": naming.without_key,
    }
