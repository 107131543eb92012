"""A client's connection: what it has sent of its next request, and when that is complete."""

import os
import re
import socket
from collections.abc import Callable
from typing import Any

from django.conf import settings
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn

from imageshare.pace import PacedSocket

MOST_HEAD_BYTES = 64 * 1024  # gunicorn's own limits, a line and a hundred fields, are stricter
PIECE_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Looked at only to know when a request is complete. What it means is for gunicorn's parser to say.
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class AnsweredRequest(Request):
    """A request after whose answer the connection closes, and says so, if body is left unread.

    What is left would have to be waited for to find where the next request begins.
    """

    def should_close(self) -> bool:
        reader = self.body.reader
        is_unread = getattr(reader, "length", 0) > 0 or getattr(reader, "parser", None) is not None
        return is_unread or super().should_close()


class Connection(TConn):
    """A client's connection, and what it has sent of its next request."""

    def __init__(
        self,
        cfg: Config,
        client: socket.socket,
        peer: Any,
        server: Any,
        when_closed: Callable[[str], None],
    ) -> None:
        super().__init__(cfg, PacedSocket(fileno=client.detach()), peer, server)
        self.when_closed = when_closed
        self.collected = bytearray()
        self.needed = 0  # how many bytes make the request complete; 0 while its head is not
        self.is_kept = False  # whether another request may follow the one that was answered
        self.waiting_since = 0.0  # while the main loop waits for the client to take something

    def collect(self) -> bool:
        """Take what has come. Returns whether the request is complete; raises OSError at the end.

        Raises BlockingIOError if nothing has come.
        """
        piece = os.read(self.sock.fileno(), PIECE_BYTES)
        if not piece:
            raise ConnectionResetError
        self.collected += piece
        return self.is_complete()

    def is_complete(self) -> bool:
        if not self.needed:
            self._look_at_head()
        return 0 < self.needed <= len(self.collected)

    def _look_at_head(self) -> None:
        while self.collected.startswith(b"\r\n"):  # RFC 9112 section 2.2
            del self.collected[:2]
        end = self.collected.find(HEAD_END)
        if end < 0 and len(self.collected) > MOST_HEAD_BYTES:
            raise ConnectionResetError  # no browser and no script of anybody's sends as much
        if end < 0:
            return
        head = bytes(self.collected[: end + 2])
        self.needed = end + len(HEAD_END)
        stated = LENGTH.search(head)
        length = int(stated[1]) if stated else 0
        if length <= settings.SMALL_BODY_BYTES:
            self.needed += length
            if EXPECTS.search(head) and len(self.collected) < self.needed:
                os.write(self.sock.fileno(), CONTINUE)  # otherwise nothing more would come

    def begin_request(self) -> None:
        """Hand what was collected to gunicorn's parser."""
        self.init()
        self.parser.mesg_class = AnsweredRequest
        self.parser.unreader.unread(bytes(self.collected))
        self.collected.clear()
        self.needed = 0
        self.sock.begin_request()

    def end_request(self) -> None:
        """Take back what the parser has of the next request."""
        self.collected += self.parser.unreader.take_buffered()

    def close(self, graceful: bool = False) -> None:
        self.sock.end_answer()
        self.when_closed(self.client[0])
        super().close()
