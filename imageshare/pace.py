"""How long a client is waited for: as long as it keeps a least pace."""

import errno
import logging
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

LEAST_BYTES_A_SECOND = 8 * 1024  # what a telephone manages at the edge of its network
SHORTEST_WAIT = 0.001  # 0 would mean not to wait at all
TOO_SLOW = "A client was too slow and was cut off."


class PacedSocket(socket.socket):
    """A client's socket that ends when the client is too slow, at sending or at receiving.

    All the waiting within a request counts together: SLOW_CLIENT_SECONDS, and one second more for
    every LEAST_BYTES_A_SECOND that passed either way. What the server takes to work counts for
    nobody. A thread waits for what is received alone: what cannot leave at once is kept, and the
    main loop sends it with `flush`. What is large is not made at once: the rest of such an answer
    is drawn from `source` when what was kept has left. It has room for what is kept
    (gallery/room.py), and gives it back with `when_answered`. Only of an answer whose length nobody
    knows before (a ZIP) no more than `most_unsent` bytes are kept, and its thread waits.
    """

    waited = 0.0
    passed = 0
    most_unsent: int | None = None
    source: Generator[bytes, None, None] | None = None
    when_answered: Callable[[], None] | None = None

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.unsent = bytearray()

    def begin_request(self) -> None:
        self.waited, self.passed, self.most_unsent = 0.0, 0, None

    def end_answer(self) -> None:
        """Let go of the answer and give its room back, once: it is sent, or given up."""
        source, self.source = self.source, None
        if source:
            source.close()
        when_answered, self.when_answered = self.when_answered, None
        if when_answered:
            when_answered()

    def seconds_left(self) -> float:
        """Return how much longer the pace allows to wait."""
        earned = self.passed / LEAST_BYTES_A_SECOND
        return float(settings.SLOW_CLIENT_SECONDS) + earned - self.waited

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        with self._waiting():
            data = super().recv(bufsize, flags)
        self.passed += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.unsent += data
        self.flush()
        while self.most_unsent is not None and len(self.unsent) > self.most_unsent:
            with self._waiting():
                self._send_some()

    def send(self, data: Any, flags: int = 0) -> int:
        self.sendall(data)
        return len(data)

    def draw(self) -> None:
        """Make more of the answer, for as long as the client takes all of it without waiting.

        Raises what its source raises: then no more of it comes, and the client sees that it is cut
        short.
        """
        while self.source is not None and self.flush():
            piece = next(self.source, None)
            if piece is None:
                self.source = None
            else:
                self.sendall(piece)

    def flush(self) -> bool:
        """Send what can be sent without waiting. Returns whether that is all; raises OSError."""
        self.setblocking(False)
        with suppress(BlockingIOError):
            while self.unsent:
                self._send_some()
        return not self.unsent

    def _send_some(self) -> None:
        sent = super().send(self.unsent)
        del self.unsent[:sent]
        self.passed += sent

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Let a call take as long as the pace allows. Raises ConnectionResetError after it.

        As gunicorn and Django know it from a client that went away; and it is gone, so that no
        answer waits for it again.
        """
        self.settimeout(max(self.seconds_left(), SHORTEST_WAIT))
        began = time.monotonic()
        try:
            yield
        except TimeoutError:
            logger.warning(TOO_SLOW)
            self.unsent.clear()
            with suppress(OSError):
                self.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError(errno.ECONNRESET, "too slow") from None
        finally:
            self.waited += time.monotonic() - began
