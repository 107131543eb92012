"""Room in memory for pictures on their way to their readers, shared out between people.

No thread waits for a reader: a large picture is decrypted a piece at a time, when its reader has
taken the piece before (imageshare/serving.py). What slow readers could use up is the memory for
these pieces, and files that stay open, and of that each has a share. How long a ZIP will be nobody
knows before: its thread does wait, and of such threads each has a share.
"""

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import UUID

from accounts.turns import A_QUARTER, CLIENT_TURNS, Busy, Turns
from accounts.web.requests import PersonRequest
from gallery.errors import NoRoom, NoStream

# The most that one connection may keep waiting without room: any thumbnail, and many previews.
SMALL_BYTES = 256 * 1024
# The most that a connection holds of a picture: a piece of it as it is stored, one decrypted, and
# what waits for the reader. A ZIP keeps as much, so that none waits for the next to be decrypted.
MOST_UNSENT_BYTES = 2**20


class Room:
    """So many bytes for all, of which one person has at most `each`.

    Anybody who holds nothing may take any length, or the largest picture might never be had.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._held: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def take(self, person: UUID, length: int) -> Callable[[], None]:
        """Return what gives the room back: call it once. Raises NoRoom."""
        with self._lock:
            held = self._held[person]
            if held and held + length > self._each:
                raise NoRoom
            if self._held.total() + length > self._most:
                raise NoRoom
            self._held[person] += length
        return partial(self._give_back, person, length)

    def _give_back(self, person: UUID, length: int) -> None:
        with self._lock:
            self._held[person] -= length
            self._held += Counter()  # forgets who holds none


EACH = 64 * MOST_UNSENT_BYTES
ROOM = Room(most=4 * EACH, each=EACH)
# One for each person, for all people a quarter of the threads; a part of what may wait for clients.
STREAMS = Turns(at_once=A_QUARTER, waiting=0, wait_seconds=0, each=1)


def take_room(request: PersonRequest, length: int) -> None:
    """Take room for so many bytes until the answer is sent, or its connection is closed. Raises
    NoRoom."""
    client = request.META.get("gunicorn.socket")
    if client is not None and length > SMALL_BYTES:  # another server keeps nothing for its readers
        client.when_answered = ROOM.take(request.user.pk, length)


def at_the_readers_pace(
    request: PersonRequest, pieces: Generator[bytes, None, None]
) -> Iterator[bytes]:
    """Return the body of an answer whose length is stated, of which no more is made than its reader
    takes."""
    client = request.META.get("gunicorn.socket")
    return pieces if client is None else _drawn_by(client, pieces)


def _drawn_by(client: Any, pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
    """Hand the pieces over when the head is about to leave, and not before: until then the answer
    may become another."""
    client.source = pieces
    yield from ()


def take_stream(request: PersonRequest) -> None:
    """Let this answer's thread wait for its reader, until all is sent or the connection is closed.

    Raises NoStream or NoRoom.
    """
    client = request.META.get("gunicorn.socket")
    if client is None:
        return
    with ExitStack() as held:
        try:
            held.enter_context(STREAMS.turn())
            held.enter_context(CLIENT_TURNS.turn())
        except Busy:
            raise NoStream from None
        held.callback(ROOM.take(request.user.pk, MOST_UNSENT_BYTES))
        client.most_unsent = MOST_UNSENT_BYTES
        client.when_answered = held.pop_all().close
