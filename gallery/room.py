"""Room in memory for large pictures that wait for their readers, shared out between people.

No thread waits for a reader: what a connection has not taken yet stays in memory, and the server's
main loop sends it. So what slow readers could use up is memory, and of that each has a share.
"""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.conf import settings

from accounts.web.requests import PersonRequest
from gallery.errors import NoRoom

# The most that one connection may keep waiting without room: any thumbnail, and many previews.
SMALL_BYTES = 256 * 1024


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


def take_room(request: PersonRequest, length: int) -> None:
    """Take room for a picture until it is sent, or its connection is closed. Raises NoRoom."""
    client = request.META.get("gunicorn.socket")
    if client is not None and length > SMALL_BYTES:  # another server keeps nothing for its readers
        client.when_answered = ROOM.take(request.user.pk, length)
