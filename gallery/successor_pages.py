"""What the page of successors says: whom one named, and whose images one can take over."""

import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.errors import GalleryError, OwnerActive
from gallery.models import Member, SealedImage
from gallery.opening import Opener
from gallery.services.successors import (
    SUCCESSORS,
    circle_of,
    images_without_key,
    successors_of,
)
from gallery.services.taking_over import keys_to_take_over, membership_after


@dataclass(frozen=True)
class Naming:
    """Somebody who named the person a successor. `images`: of a disabled owner, how many there are
    to take over; `without_key`: how many were never handed over."""

    owner: uuid.UUID
    name: str
    username: str | None
    since: datetime
    is_disabled: bool
    images: int = 0
    without_key: int = 0


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
    opener.prepare([row.circle_id for row in rows])
    prefetch_names(row.circle.owner for row in rows)
    found = []
    for row in rows:
        with suppress(GalleryError):
            found.append(_naming(row, person, opener))
    return found


def _naming(row: Member, person: User, opener: Opener) -> Naming:
    owner = row.circle.owner
    name = certified_name(owner)
    naming = Naming(owner.pk, name.in_full, name.username, row.granted_at, is_disabled=False)
    try:
        member = membership_after(owner, opener, reader=person)
    except OwnerActive:
        return naming
    there = SealedImage.objects.filter(owner=owner, deleted_at=None).count()
    can = keys_to_take_over(member).count()
    return replace(naming, is_disabled=True, images=can, without_key=there - can)


def naming_json(naming: Naming) -> dict[str, Any]:
    return {
        "owner": str(naming.owner),
        "username": naming.username,
        "since": naming.since,
        "is_disabled": naming.is_disabled,
        "images": naming.images,
        "without_key": naming.without_key,
    }
