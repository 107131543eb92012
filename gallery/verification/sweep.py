"""The sweep of everything: images and albums, those the trail remembers, stored files, notices."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from audit.events import Event, Outcome
from audit.leaf import Leaf
from audit.verification import NEWEST, entries_between, in_pieces
from gallery import storage
from gallery.models import Circle, SealedImage
from gallery.services.purging import known_names
from gallery.verification.circles import CircleCheck
from gallery.verification.findings import Finding, Kind
from gallery.verification.images import UNREADABLE, ImageCheck
from gallery.verification.notices import check_notices

CHUNK = 100  # images whose statements are held at once
# Bytes without which an entry says nothing of interest: cheaper to look for than its MAC.
REMEMBERED: dict[str, type[SealedImage | Circle]] = {
    Event.IMAGE_UPLOADED: SealedImage,
    Event.ALBUM_MADE: Circle,
    Event.TEAM_MADE: Circle,
    Event.SUCCESSORS_MADE: Circle,
}
MARKS = tuple(f'"event":"{event}"'.encode() for event in (*REMEMBERED, Event.NOTICE_SENT))

Look = Callable[[], Iterator[Finding]]


class Sweep:
    """Checks everything once; counts what it saw. Tells how far it is by `progress`."""

    def __init__(self, *, reads_bytes: bool, progress: Callable[[int], object]) -> None:
        self.images = 0
        self.albums = 0
        self.people = 0
        self._reads_bytes = reads_bytes
        self._progress = progress
        self._sent: Counter[uuid.UUID] = Counter()

    def run(self) -> Iterator[Finding]:
        """Yield what is wrong. Raises django.db.Error, StorageAway or TrailAway where a part is
        away: then nothing is known."""
        yield from self._check_trail()
        for chunk in _chunks(SealedImage.objects.all()):
            first = ImageCheck(chunk, reads_bytes=self._reads_bytes)
            for image_id in chunk:
                yield from _twice(partial(first.check, image_id), self._once_more(image_id))
            self.images += len(chunk)
            self._progress(self.images)
        for chunk in _chunks(Circle.objects.all()):
            circles = CircleCheck(chunk)
            for circle_id in chunk:
                yield from _twice(partial(circles.check, circle_id), _circle_once_more(circle_id))
            self.albums += len(chunk)
        before = timezone.now() - settings.PURGE_GRACE
        for name in storage.orphans(before, known_names):
            yield Finding(Kind.ORPHAN, name)
        for chunk in _chunks(User.objects.all()):
            for person in chunk:
                look = partial(_check_person, person, self._sent[person])
                yield from _twice(look, look)
            self.people += len(chunk)

    def _check_trail(self) -> Iterator[Finding]:
        """Look for what the trail remembers; count the notices it does."""
        for leaves in in_pieces(_told()):
            for event, model in REMEMBERED.items():
                made = {one.subject for one in leaves if one.subject and one.event == event}
                rows = model._default_manager.filter(pk__in=made)
                for gone in made - set(rows.values_list("pk", flat=True)):
                    yield Finding(Kind.GONE, str(gone))
            for leaf in leaves:
                self._sent.update(map(uuid.UUID, leaf.facts.get("people", [])))

    def _once_more(self, image_id: uuid.UUID) -> Look:
        return lambda: ImageCheck([image_id], reads_bytes=self._reads_bytes).check(image_id)


def _circle_once_more(circle_id: uuid.UUID) -> Look:
    return lambda: CircleCheck([circle_id]).check(circle_id)


def _chunks(rows: QuerySet[Any]) -> Iterator[list[uuid.UUID]]:
    """Yield ids some at a time. No cursor stays open, which on SQLite would show every later look
    the state from when it was opened."""
    ids = rows.order_by("pk").values_list("pk", flat=True)
    chunk = list(ids[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(ids.filter(pk__gt=chunk[-1])[:CHUNK])


def _twice(first: Look, again: Look) -> Iterator[Finding]:
    """Yield what both looks find: in between somebody may have shared, or taken access back."""
    found = list(first())
    still = set(again()) if found else set()
    yield from (finding for finding in found if finding in still)


def _check_person(person: uuid.UUID, sent: int) -> Iterator[Finding]:
    try:
        yield from check_notices(person, sent=sent)
    except UNREADABLE:
        yield Finding(Kind.UNREADABLE, person)


def _told() -> Iterator[Leaf]:
    """Yield what the trail says was done, of uploads and notices, as the audit key vouches for."""
    for entry in entries_between(1, NEWEST):
        if any(mark in entry.leaf for mark in MARKS) and entry.is_authentic():
            leaf = entry.parsed()
            if leaf.outcome == Outcome.DONE:
                yield leaf
