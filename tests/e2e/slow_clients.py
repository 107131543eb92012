"""Clients that keep a server waiting: what each sends before it sends nothing more."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

MANY = 120
ANSWERS_WITHIN = 10  # seconds; a server that waits for the slow answers never
HOST = b"Host: 127.0.0.1\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
HOST += b"Content-Type: application/x-www-form-urlencoded\r\n"
POST = b"POST /accounts/login/ HTTP/1.1\r\n" + HOST
UPLOAD = b"POST /images/upload/ HTTP/1.1\r\n" + HOST

SLOW: dict[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET /hea",
    "half a head": b"GET /healthz HTTP/1.1\r\n" + HOST,
    "half a small body": POST + b"Content-Length: 500\r\n\r\nusername=a",
    "nothing of a body": POST + b"Content-Length: 500\r\n\r\n",
    "a body after a question": POST + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n",
    "a little of a large body": UPLOAD + b"Content-Length: 50000000\r\n\r\n" + bytes(20_000),
    "a little of a large form": POST + b"Content-Length: 900000\r\n\r\nusername=a",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n",
    "a request, and half the next": b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET /hea",
    "a request, and never the end": b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
    "many requests, and reads nothing": (b"GET /static/css/site.css HTTP/1.1\r\n" + HOST + b"\r\n")
    * 40,
}


def connected(
    port: int, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1"
) -> socket.socket:
    """Return a connection from `source` with little room for what it is sent."""
    plain = socket.socket()
    plain.bind((source, 0))
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(ANSWERS_WITHIN)
    plain.connect(("127.0.0.1", port))
    return tls.wrap_socket(plain) if tls else plain


@contextmanager
def slow_clients(
    port: int, sent: bytes, tls: ssl.SSLContext | None = None, source: str = "127.0.0.2"
) -> Iterator[None]:
    """A hundred and twenty connections that have sent this and send nothing more."""
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(connected(port, tls, source))
            with suppress(OSError):  # cut off already, as one of too many
                client.sendall(sent)
        yield


def answer_of(client: socket.socket) -> bytes:
    """Return all that comes until the server closes its side."""
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)
