"""Taking turns at what takes a whole core, key derivation and key making, or waits for clients."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from audit.context import current_request


class Busy(Exception):
    """Too many are waiting already, or the wait was too long. Nothing was begun."""

    in_one_line = True  # of the log (imageshare/logs.py)


class Turns:
    """So many at once, so many waiting; the next one gets Busy at once.

    A thread that waits serves nobody: without a limit, fifty sign-ins would hold every thread of a
    process and the whole site would stand still.

    The places are shared out: one person or network has at most `each` of them (not one browser: a
    person who signs in again and again has many known ones), and strangers, who cost nothing to
    invent, together at most `strangers`, and never the last turn. The rest is for people who signed
    in before: somebody who fills the line delays only strangers.
    """

    def __init__(
        self,
        *,
        at_once: int,
        waiting: int,
        wait_seconds: float,
        each: int | None = None,
        strangers: int | None = None,
    ) -> None:
        self._most = at_once + waiting
        self._each, self._most_strangers = each or self._most, strangers or self._most
        self._turns = threading.BoundedSemaphore(at_once)
        left_for_known = int(strangers is not None and at_once > 1)
        self._strangers_turns = threading.BoundedSemaphore(at_once - left_for_known)
        self._wait_seconds = wait_seconds
        self._held: Counter[str] = Counter()
        self._strangers = 0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a turn. Raises Busy."""
        who, is_known = _asking()
        with self._place(who, is_known):
            if is_known:
                with self._acquired(self._turns):
                    yield
            else:
                with self._acquired(self._strangers_turns), self._acquired(self._turns):
                    yield

    def is_free(self) -> bool:
        """Whether a turn could be had at once: for work that may as well be done later."""
        if free := self._turns.acquire(blocking=False):
            self._turns.release()
        return free

    @contextmanager
    def _place(self, who: str, is_known: bool) -> Iterator[None]:
        with self._lock:
            if (
                self._held.total() >= self._most
                or self._held[who] >= self._each
                or (not is_known and self._strangers >= self._most_strangers)
            ):
                raise Busy
            self._held[who] += 1
            self._strangers += not is_known
        try:
            yield
        finally:
            with self._lock:
                self._held[who] -= 1
                self._held += Counter()  # forgets who holds none
                self._strangers -= not is_known

    @contextmanager
    def _acquired(self, turns: threading.Semaphore) -> Iterator[None]:
        if not turns.acquire(timeout=self._wait_seconds):
            raise Busy
        try:
            yield
        finally:
            turns.release()


def _asking() -> tuple[str, bool]:
    """Return in whose name the request being served waits, and whether that is somebody known."""
    request = current_request.get()
    if request is None:  # a command, in a process of its own
        return "", True
    return request.known_as or request.address, bool(request.known_as)


# Argon2id takes 100 MiB and a whole core, in the password's hash and in the KEK under it alike.
KDF_TURNS = Turns(at_once=settings.KDF_AT_ONCE, waiting=8, wait_seconds=10, each=4, strangers=8)
# A key pair takes about a second of one core.
KEY_MAKING_TURNS = Turns(at_once=1, waiting=3, wait_seconds=20, each=2, strangers=3)
# Of a process's threads those that wait for people's clients, to send or to read: so many for each
# person, and never the last quarter, however many are slow.
A_QUARTER = max(1, settings.THREADS // 4)
CLIENT_TURNS = Turns(
    at_once=max(1, settings.THREADS - A_QUARTER), waiting=0, wait_seconds=0, each=A_QUARTER
)
