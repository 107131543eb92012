"""What the page of successors says: whom one named, and what one can take over of whom."""

import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.errors import GalleryError, OwnerActive
from gallery.models import Circle, Member, SealedImage, Subject
from gallery.opening import Opener
from gallery.services.succession import membership_after
from gallery.services.successors import (
    SUCCESSORS,
    circle_of,
    circles_to_keep,
    circles_without_key,
    images_without_key,
    successors_of,
)
from gallery.services.taking_over import keys_to_take_over
from gallery.services.taking_over_circles import circles_to_take_over

IMAGE, ALBUM, TEAM = KINDS = "image", "album", "team"
# How many there are, by what they are: an image, an album or a team.
Amounts = Counter[str]


def kind_of(subject: Subject) -> str:
    return subject.kind if isinstance(subject, Circle) else IMAGE


def amounts_of(images: int, circles: QuerySet[Circle]) -> Amounts:
    return Counter({IMAGE: images}) + Counter(circles.values_list("kind", flat=True))


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
    """Somebody who named the person a successor. `there`: of a disabled owner, how much there is to
    take over; `without_key`: how much was never handed over."""

    owner: uuid.UUID
    name: str
    username: str | None
    since: datetime
    is_disabled: bool
    there: Amounts = field(default_factory=Counter)
    without_key: Amounts = field(default_factory=Counter)

    @property
    def what(self) -> str:
        return amounts_in_words(self.there)

    @property
    def what_is_without_key(self) -> str:
        return amounts_in_words(self.without_key)


def page_of(person: User, opener: Opener) -> dict[str, Any]:
    circle, left = circle_of(person), Amounts()
    named = successors_of(person)
    if circle and named:
        left = amounts_of(images_without_key(circle).count(), circles_without_key(circle))
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
    images = SealedImage.objects.filter(owner=owner, deleted_at=None).count()
    everything = amounts_of(images, circles_to_keep(owner.pk))
    handed = circles_to_take_over(member).values("circle")
    can = amounts_of(keys_to_take_over(member).count(), Circle.objects.filter(pk__in=handed))
    return replace(naming, is_disabled=True, there=can, without_key=everything - can)


def naming_json(naming: Naming) -> dict[str, Any]:
    return {
        "owner": str(naming.owner),
        "username": naming.username,
        "since": naming.since,
        "is_disabled": naming.is_disabled,
        "images": naming.there[IMAGE],
        "albums": naming.there[ALBUM],
        "teams": naming.there[TEAM],
        "without_key": naming.without_key.total(),
    }
