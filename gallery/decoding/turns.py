"""Whose picture is decoded next: as many at a time as there are cores, fair between people, by
pixels.

A file of 38 bytes may be a picture of 64 million pixels, so neither files nor bytes say what a
picture costs. Start-time fair queueing (Goyal, Vin and Cheng, 1996): each picture gets the moment,
counted in pixels, at which it could begin if everybody's were decoded side by side; the earliest is
next. Anybody who sends many waits behind their own.
"""

import heapq
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from uuid import UUID

from django.conf import settings

from accounts.turns import Busy


class DecodingTurns:
    """So many pictures at once, as long as they are no larger together than one may be alone.

    A thread that waits serves nobody else, and people are many: without a limit one of them could
    hold every thread of a process. So of each person at most `each` uploads wait for pictures.
    """

    def __init__(
        self, *, at_once: int, most_held_pixels: int, each: int, wait_seconds: float
    ) -> None:
        self.at_once = at_once
        self._most_held = most_held_pixels
        self._each = each
        self._wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []  # a heap of (begins, number)
        self._numbers = count()
        self._decoding: list[int] = []  # how many pixels each holds
        self._present = 0  # when the picture begins that was begun last
        self._ends: dict[UUID, int] = {}  # of each person's last picture
        self._uploads: defaultdict[UUID, Counter[object]] = defaultdict(Counter)

    @contextmanager
    def turn(
        self, person: UUID, pixels: int, held_pixels: int, *, upload: object
    ) -> Iterator[None]:
        """Hold a decoder for a picture of so many pixels in one of a person's uploads. Raises
        Busy."""
        with self._place(person, upload):
            self._wait(person, pixels, held_pixels)
            try:
                yield
            finally:
                self._leave(held_pixels)

    @contextmanager
    def _place(self, person: UUID, upload: object) -> Iterator[None]:
        with self._changed:
            uploads = self._uploads[person]
            if upload not in uploads and len(uploads) >= self._each:
                raise Busy
            uploads[upload] += 1
        try:
            yield
        finally:
            with self._changed:
                uploads[upload] -= 1
                uploads += Counter()  # forgets those without pictures
                if not uploads:
                    del self._uploads[person]

    def _wait(self, person: UUID, pixels: int, held_pixels: int) -> None:
        with self._changed:
            begins = max(self._present, self._ends.get(person, 0))
            self._ends[person] = begins + pixels
            mine = (begins, next(self._numbers))
            heapq.heappush(self._waiting, mine)
            if not self._changed.wait_for(
                lambda: self._waiting[0] == mine and self._has_room(held_pixels),
                self._wait_seconds,
            ):
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
                raise Busy
            heapq.heappop(self._waiting)
            self._decoding.append(held_pixels)
            self._present = begins
            self._changed.notify_all()  # the next one may begin as well

    def _has_room(self, held_pixels: int) -> bool:
        """Whether one more may begin. Nobody passes a large one that waits for room."""
        held = sum(self._decoding) + held_pixels
        return not self._decoding or (
            len(self._decoding) < self.at_once and held <= self._most_held
        )

    def _leave(self, held_pixels: int) -> None:
        with self._changed:
            self._decoding.remove(held_pixels)
            if not (self._waiting or self._decoding):  # all is done: nobody is ahead
                self._present = max(self._ends.values())
            self._ends = {who: end for who, end in self._ends.items() if end > self._present}
            self._changed.notify_all()


# At its peak a decoder takes, for 64 million pixels: JPEG 0.1 GB, HEIC and PNG 0.45, AVIF 0.75,
# WebP with transparency 1.1. So those of one process together hold no more than one may.
DECODING = DecodingTurns(
    at_once=settings.DECODERS_AT_ONCE,
    most_held_pixels=settings.MAX_PIXELS,
    each=4,
    wait_seconds=60,
)
