"""How long a thread waits for a client: as long as the client keeps a least pace."""

import errno
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

LEAST_BYTES_A_SECOND = 8 * 1024  # what a telephone manages at the edge of its network
MOST_UNSENT_BYTES = 256 * 1024  # any page, style sheet or list: only pictures are larger
SHORTEST_WAIT = 0.001  # 0 would mean not to wait at all


class PacedSocket(socket.socket):
    """A client's socket that ends when the client is too slow, at sending or at receiving.

    All the waiting within a request counts together: SLOW_CLIENT_SECONDS, and one second more for
    every LEAST_BYTES_A_SECOND that passed either way. What the server takes to work counts for
    nobody. Nobody waits for the last MOST_UNSENT_BYTES to leave: `flush` sends them later.
    """

    waited = 0.0
    passed = 0

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.unsent = bytearray()

    def begin_request(self) -> None:
        self.waited, self.passed = 0.0, 0

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        with self._waiting():
            data = super().recv(bufsize, flags)
        self.passed += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.unsent += data
        self.flush()
        while len(self.unsent) > MOST_UNSENT_BYTES:
            with self._waiting():
                self._send_some()

    def send(self, data: Any, flags: int = 0) -> int:
        self.sendall(data)
        return len(data)

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
        earned = self.passed / LEAST_BYTES_A_SECOND
        allowed = settings.SLOW_CLIENT_SECONDS + earned - self.waited
        self.settimeout(max(allowed, SHORTEST_WAIT))
        began = time.monotonic()
        try:
            yield
        except TimeoutError:
            logger.warning("A client was too slow and was cut off.")
            self.unsent.clear()
            with suppress(OSError):
                self.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError(errno.ECONNRESET, "too slow") from None
        finally:
            self.waited += time.monotonic() - began
