"""What worker and decoder say to each other: `length of header (4) | header, JSON | parts`.

The header's `lengths` say how long the parts are. Neither side believes the other more than a limit
that it sets itself.
"""

import io
import json
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

HEADER_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024


class Broken(Exception):
    """The other side is gone, takes too long, or says what it may not."""


class Channel:
    """One end of the connection between a worker and a decoder."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline: float | None = None

    def wait_at_most(self, seconds: float) -> None:
        """Count from now until when whatever is sent or received has to be through."""
        self._deadline = time.monotonic() + seconds

    def send(self, header: Mapping[str, object], *parts: bytes) -> None:
        """Send a header with its parts. Raises Broken."""
        lengths = [len(part) for part in parts]
        head = json.dumps({**header, "lengths": lengths}).encode()
        try:
            for data in (len(head).to_bytes(4), head, *parts):
                self._keep_to_deadline()
                self._connection.sendall(data)
        except OSError:
            raise Broken from None

    def receive(self, most_bytes: int) -> tuple[dict[str, Any], list[bytes]]:
        """Return the next header, and its parts, together at most so long. Raises Broken."""
        header, lengths = self.receive_header(most_bytes)
        return header, [self._exactly(length) for length in lengths]

    def receive_header(self, most_bytes: int) -> tuple[dict[str, Any], list[int]]:
        """Return the next header, and how long its parts are, which come next: together at most so
        long. Raises Broken."""
        length = int.from_bytes(self._exactly(4))
        if length > HEADER_BYTES:
            raise Broken
        try:
            header = json.loads(self._exactly(length))
            lengths = header.pop("lengths")
            if sum(lengths) > most_bytes or min(lengths, default=0) < 0:
                raise Broken
            return header, [int(length) for length in lengths]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise Broken from None

    def pieces(self, length: int) -> Iterator[bytes]:
        """Yield the next part, which is so long. Raises Broken."""
        for left in range(length, 0, -PIECE_BYTES):
            yield self._exactly(min(left, PIECE_BYTES))

    def close(self) -> None:
        self._connection.close()

    def _exactly(self, length: int) -> bytes:
        received = io.BytesIO()  # gives its bytes away without a copy
        while left := length - received.tell():
            self._keep_to_deadline()
            try:
                piece = self._connection.recv(min(left, PIECE_BYTES))
            except OSError:
                raise Broken from None
            if not piece:
                raise Broken
            received.write(piece)
        return received.getvalue()

    def _keep_to_deadline(self) -> None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise Broken
            self._connection.settimeout(left)
