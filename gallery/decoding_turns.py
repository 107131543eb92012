"""Whose picture is decoded next: one at a time in a process, fair between people, by pixels.

A file of 38 bytes may be a picture of 64 million pixels, so neither files nor bytes say what a
picture costs. Start-time fair queueing (Goyal, Vin and Cheng, 1996): each picture gets the moment,
counted in pixels, at which it could begin if everybody's were decoded side by side; the earliest is
next. Anybody who sends many waits behind their own.
"""

import heapq
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from uuid import UUID

from accounts.turns import Busy


class DecodingTurns:
    """One decoder; of each person at most `each` pictures wait or are decoded.

    A thread that waits serves nobody else, and people are many: without that limit one of them
    could hold every thread of a process.
    """

    def __init__(self, *, each: int, wait_seconds: float) -> None:
        self._each = each
        self._wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []  # a heap of (begins, number)
        self._numbers = count()
        self._is_busy = False
        self._present = 0  # when the picture begins that is decoded now
        self._ends: dict[UUID, int] = {}  # of each person's last picture
        self._held: Counter[UUID] = Counter()

    @contextmanager
    def turn(self, person: UUID, pixels: int) -> Iterator[None]:
        """Hold the decoder for a person's picture of so many pixels. Raises Busy."""
        with self._changed:
            if self._held[person] >= self._each:
                raise Busy
            self._held[person] += 1
        try:
            self._wait(person, pixels)
            try:
                yield
            finally:
                self._leave()
        finally:
            with self._changed:
                self._held[person] -= 1
                self._held += Counter()  # forgets who holds none

    def _wait(self, person: UUID, pixels: int) -> None:
        with self._changed:
            begins = max(self._present, self._ends.get(person, 0))
            self._ends[person] = begins + pixels
            mine = (begins, next(self._numbers))
            heapq.heappush(self._waiting, mine)
            if not self._changed.wait_for(
                lambda: not self._is_busy and self._waiting[0] == mine, self._wait_seconds
            ):
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
                raise Busy
            heapq.heappop(self._waiting)
            self._is_busy, self._present = True, begins

    def _leave(self) -> None:
        with self._changed:
            self._is_busy = False
            if not self._waiting:  # all that was asked for is done: nobody is ahead
                self._present = max(self._ends.values())
            self._ends = {who: end for who, end in self._ends.items() if end > self._present}
            self._changed.notify_all()


# At its peak a decoder takes, for 64 million pixels: JPEG 0.1 GB, HEIC and PNG 0.45, AVIF 0.75,
# WebP with transparency 1.1. So requests in one process decode one after another.
DECODING = DecodingTurns(each=4, wait_seconds=60)
