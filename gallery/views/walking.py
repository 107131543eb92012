"""From an image to the next one of the list that its reader came from.

The address of an image says which list that was (`from`) and what was asked of it. The list itself
is read anew, as it is for this reader now: an address leads to nothing that the list does not
show, and each image it leads to is asked for, verified and recorded like any other.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.web.requests import PersonRequest
from audit.unreadable import as_id
from gallery.access import membership_of
from gallery.album_cards import live_placements
from gallery.errors import GalleryError
from gallery.paging import COUNTED
from gallery.presenting import address
from gallery.views.list_filters import Wishes, address_of, order_of
from gallery.views.lists import (
    FORMS,
    MINE,
    PER_PAGE,
    SHARED,
    Rows,
    ids_in_order,
    narrowed_rows,
    rows_of,
)

# Somebody who looks through what is new opens it by looking, and may want to go back.
STILL_NEW = timedelta(hours=1)
PLACES = {SHARED: "gallery:shared-with-me", MINE: "gallery:mine"}


@dataclass(frozen=True)
class List:
    """A list of images, as it is for one reader."""

    place: str
    url: str
    rows: Rows
    wishes: Wishes

    @property
    def order(self) -> tuple[str, ...]:
        return order_of(self.wishes)


def walk_of(request: PersonRequest, image_id: uuid.UUID) -> dict[str, Any] | None:
    """Return what is before and after an image; None if the address names no list it is in."""
    came_from = _list_named(request)
    here = _place_in(came_from, image_id) if came_from else None
    if came_from is None or here is None:
        return None
    before, after = (_beside(came_from, here, ahead=ahead) for ahead in (False, True))
    number = 1 + sum(one[:COUNTED].count() for one in before)
    total = number + sum(one[:COUNTED].count() for one in after)
    is_counted = total <= COUNTED
    return {
        "is_album": came_from.place not in PLACES,
        "is_own": came_from.place == MINE,
        "back_url": _back(came_from, image_id, number if is_counted else 1),
        "previous": _first(before, came_from, ahead=False),
        "next": _first(after, came_from, ahead=True),
        "number": number if is_counted else None,
        "total": total,
    }


def announced(walk: dict[str, Any] | None, *, owner: str | None) -> str:
    """Return what somebody hears who goes from one image to the next; without an owner, of one's
    own."""
    if not walk or not walk["number"]:
        return _("Image from %(owner)s") % {"owner": owner} if owner else _("Your image")
    said = {"n": walk["number"], "total": walk["total"], "owner": owner}
    if owner:
        return _("Image %(n)s of %(total)s, from %(owner)s") % said
    return _("Image %(n)s of %(total)s") % said


def _list_named(request: PersonRequest) -> List | None:
    name, reader = request.GET.get("from", ""), request.user
    if name in PLACES:
        wishes = FORMS[name](request.GET).wishes
        since = timezone.now() - STILL_NEW
        rows = narrowed_rows(rows_of(reader, name), wishes, reader=reader, new_before=since)
        return List(name, reverse(PLACES[name]), rows, wishes)
    return _album_named(name, reader)


def _album_named(name: str, reader: User) -> List | None:
    if album_id := as_id(name):
        with suppress(GalleryError):
            membership_of(album_id, reader=reader)
            return List(name, address("album", album_id), [live_placements(album_id)], {})
    return None


def _place_in(came_from: List, image_id: uuid.UUID) -> dict[str, Any] | None:
    """Return what the image's row is sorted by."""
    columns = [name.removeprefix("-") for name in came_from.order]
    for rows in came_from.rows:
        if row := rows.filter(image=image_id).values(*columns).first():
            return row
    return None


def _beside(came_from: List, here: dict[str, Any], *, ahead: bool) -> Rows:
    """Return the rows before or after a place: those that differ in the first column by which they
    are sorted, or are alike in it and differ in the next, and so on."""
    beside, alike = Q(), Q()
    for name in came_from.order:
        column, falls = name.removeprefix("-"), name.startswith("-")
        beside |= alike & Q(**{f"{column}__{'lt' if falls == ahead else 'gt'}": here[column]})
        alike &= Q(**{column: here[column]})
    return [rows.filter(beside) for rows in came_from.rows]


def _first(rows: Rows, came_from: List, *, ahead: bool) -> dict[str, Any] | None:
    """Return where the nearest of these rows leads."""
    ids = ids_in_order(rows, came_from.order)
    nearest = ids.first() if ahead else ids.last()
    if nearest is None:
        return None
    image_id = next(filter(None, (_image_of(one, nearest[0]) for one in rows)))
    link = address_of(came_from.place, came_from.wishes)
    return {
        "url": address("image", image_id) + link,
        "thumbnail_url": address("thumbnail", image_id),
    }


def _image_of(rows: QuerySet[Any], pk: uuid.UUID) -> uuid.UUID | None:
    image_id: uuid.UUID | None = rows.filter(pk=pk).values_list("image", flat=True).first()
    return image_id


def _back(came_from: List, image_id: uuid.UUID, number: int) -> str:
    """Return the address of the page of the list that shows the image, where it shows it."""
    page, query = 1 + (number - 1) // PER_PAGE, dict(came_from.wishes)
    if page > 1:
        query["page"] = str(page)
    return f"{came_from.url}?{urlencode(query)}#image-{image_id}"
