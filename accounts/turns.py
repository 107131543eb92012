"""Taking turns at what takes a whole core: key derivation, key making."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class Busy(Exception):
    """Too many are waiting already, or the wait was too long. Nothing was begun."""


class Turns:
    """So many at once, so many waiting; the next one is Busy at once.

    A thread that waits serves nobody: without a limit, fifty sign-ins would hold every thread of a
    process and the whole site would stand still.
    """

    def __init__(self, *, at_once: int, waiting: int, wait_seconds: float) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._wait_seconds = wait_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a turn. Raises Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            if not self._turns.acquire(timeout=self._wait_seconds):
                raise Busy
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def is_free(self) -> bool:
        """Whether a turn could be had at once: for work that may as well be done later."""
        if free := self._turns.acquire(blocking=False):
            self._turns.release()
        return free


# Argon2id takes 100 MiB and a whole core, in the password's hash and in the KEK under it alike.
KDF_TURNS = Turns(at_once=settings.KDF_AT_ONCE, waiting=8, wait_seconds=10)
# A key pair takes about a second of one core.
KEY_MAKING_TURNS = Turns(at_once=1, waiting=3, wait_seconds=20)
