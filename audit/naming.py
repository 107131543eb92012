"""Whom and what an id belongs to, for staff: they read names, beside the ids that the trail keeps.

The trail knows ids alone and outlives the tables, which say here what they know. Of an image that
is whose it is: never a caption, a title or a file name.
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from functools import reduce

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Each returns the names of those ids it knows, by one query.
NAMERS: list[Callable[[Collection[uuid.UUID]], dict[uuid.UUID, str]]] = []
# Each returns the ids of what somebody typed the name of.
FINDERS: list[Callable[[str], Iterable[uuid.UUID]]] = []


def names_of(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    wanted = {one for one in ids if one}
    return reduce(lambda found, namer: found | namer(wanted), NAMERS, {}) if wanted else {}


def ids_of(name: str) -> list[uuid.UUID]:
    return [one for finder in FINDERS for one in finder(name)]


def with_name(one: uuid.UUID | None, names: dict[uuid.UUID, str]) -> SafeString | str:
    """Return an id with whom it belongs to before it, where that is known."""
    if one is None:
        return "–"
    if one not in names:
        return str(one)
    return format_html('{} <span class="id">{}</span>', names[one], one)
