"""Room in memory for large pictures that wait for their readers, shared out between people.

No thread waits for a reader: what a connection has not taken yet stays in memory, and the server's
main loop sends it. So what slow readers could use up is memory, and of that each has a share. A ZIP
is larger than any room: its thread does wait, and of such threads each has a share.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from uuid import UUID

from django.conf import settings

from accounts.turns import A_QUARTER, CLIENT_TURNS, Busy, Turns
from accounts.web.requests import PersonRequest
from gallery.errors import NoRoom, NoStream

# The most that one connection may keep waiting without room: any thumbnail, and many previews.
SMALL_BYTES = 256 * 1024
# The most that a ZIP's connection keeps: a few pieces of a picture, so that none waits for the
# next to be decrypted.
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


# As much as half of the threads hold while they read and decrypt; for one person a quarter of it.
EACH = max(2, settings.THREADS // 8) * settings.MAX_UPLOAD_BYTES
ROOM = Room(most=4 * EACH, each=EACH)
# One for each person, for all people a quarter of the threads; a part of what may wait for clients.
STREAMS = Turns(at_once=A_QUARTER, waiting=0, wait_seconds=0, each=1)


def take_room(request: PersonRequest, length: int) -> None:
    """Take room for a picture until it is sent, or its connection is closed. Raises NoRoom."""
    client = request.META.get("gunicorn.socket")
    if client is not None and length > SMALL_BYTES:  # another server keeps nothing for its readers
        client.when_answered = ROOM.take(request.user.pk, length)


def take_stream(request: PersonRequest) -> None:
    """Let this answer's thread wait for its reader, until all is sent or the connection is closed.

    Meanwhile it holds one picture after the other, so it takes room for the largest. Raises
    NoStream or NoRoom.
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
        held.callback(ROOM.take(request.user.pk, settings.MAX_UPLOAD_BYTES))
        client.most_unsent = MOST_UNSENT_BYTES
        client.when_answered = held.pop_all().close
