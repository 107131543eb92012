"""How clients are served: no thread waits for one that has not sent its request yet.

gunicorn's threads read from and write to a client for as long as it takes, and its main loop waits
for clients that do not close: a hundred sockets with a byte every few seconds stop the whole site.
Here the main loop, which waits for nobody, collects heads and small bodies, and a thread gets a
request when it is complete; the main loop sends what a client does not take at once, from memory.
A thread makes the next piece of a large answer when the client has taken the one before. Only
larger bodies keep a thread waiting, and only from people who are unlocked (RequestSizeMiddleware)
and keep a pace (imageshare/pace.py).
"""

import errno
import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import chain
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from imageshare.connections import PIECE_BYTES, Connection
from imageshare.pace import LEAST_BYTES_A_SECOND, TOO_SLOW, PacedSocket

logger = logging.getLogger(__name__)
CONNECTIONS_OF_A_PEER = 100  # in each process, where peers are clients and no proxy of ours
LINGER_SECONDS = 10
BROKEN_OFF = "An answer broke off."
NOBODY_CAME = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)


class Worker(ThreadWorker):
    """gunicorn's threads, with a main loop that collects requests and waits for slow ends.

    A connection is collecting (`pending_conns`), with a thread, `sending` what the thread left,
    idle between two requests (`keepalived_conns`), or `lingering` until its client closes it, too.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sending: deque[Connection] = deque()
        self.lingering: deque[Connection] = deque()
        self.peers: Counter[str] = Counter()

    # ---- a connection comes ------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        try:
            client, peer = listener.accept()
        except OSError as error:
            if error.errno not in NOBODY_CAME:
                raise
            return
        has_enough = self.peers[peer[0]] >= CONNECTIONS_OF_A_PEER and not settings.TRUSTED_PROXIES
        if has_enough and not self._make_room(peer[0]):
            client.close()
            return
        self.nr_conns += 1
        self.peers[peer[0]] += 1
        self._collect(Connection(self.cfg, client, peer, listener.getsockname(), self.forget))
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def _make_room(self, peer: str | None = None) -> bool:
        """Close the connection that has kept us waiting longest, of `peer` or of anybody.

        Anybody who is in earnest completes a request in an instant. Readers may well take long: of
        them it is the one that has taken nothing for longest.
        """
        for waiting in (self.lingering, self.keepalived_conns, self.pending_conns, self.sending):
            for conn in waiting:
                if peer in (None, conn.client[0]):
                    waiting.remove(conn)
                    self._close(conn)
                    return True
        return False

    # ---- its request comes -------------------------------------------------------------------

    def _collect(self, conn: Connection) -> None:
        seconds = settings.SLOW_CLIENT_SECONDS
        self._watch(conn, self.pending_conns, seconds, self.on_pending_socket_readable)

    def on_client_socket_readable(self, conn: Connection, client: PacedSocket) -> None:
        self._unwatch(conn, self.keepalived_conns)
        self._collect(conn)

    def on_pending_socket_readable(self, conn: Connection, client: PacedSocket) -> None:
        try:
            is_complete = conn.collect()
        except BlockingIOError:
            return
        except OSError:
            self.pending_conns.remove(conn)
            self._close(conn)
            return
        if is_complete:
            self._unwatch(conn, self.pending_conns)
            self.enqueue_req(conn)

    # ---- a thread answers it -----------------------------------------------------------------

    def _submit(self, work: Callable[[Connection], object], conn: Connection) -> None:
        done = self.tpool.submit(work, conn)
        done.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def handle(self, conn: Connection) -> object:
        conn.begin_request()
        is_kept = super().handle(conn)
        conn.sock.draw()
        return is_kept

    def _go_on(self, conn: Connection) -> object:
        """Make more of an answer whose client has taken what there was."""
        conn.sock.draw()
        return conn.is_kept

    def finish_request(self, conn: Connection, fs: "Future[object]") -> None:
        error = None if fs.cancelled() else fs.exception()
        if error and not isinstance(error, OSError):  # a client that went away
            logger.error(BROKEN_OFF, exc_info=error)
        conn.is_kept = not fs.cancelled() and error is None and bool(fs.result())
        self._send_rest(conn)

    # ---- the rest of the answer leaves, and the next request comes ---------------------------

    def _send_rest(self, conn: Connection) -> None:
        try:
            is_sent = conn.sock.flush()
            if is_sent and conn.sock.source is None:
                self._after_answer(conn)
                return
        except OSError:
            self._close(conn)
            return
        if is_sent:
            self._submit(self._go_on, conn)
            return
        conn.waiting_since = time.monotonic()
        seconds = conn.sock.seconds_left()
        self._watch(conn, self.sending, seconds, self.on_socket_writable, EVENT_WRITE)

    def on_socket_writable(self, conn: Connection, client: PacedSocket) -> None:
        self.sending.remove(conn)
        passed = conn.sock.passed
        try:
            is_sent = conn.sock.flush()
        except OSError:
            self._close(conn)
            return
        if is_sent:
            self.poller.unregister(conn.sock)
            conn.sock.waited += time.monotonic() - conn.waiting_since
            self._send_rest(conn)
            return
        conn.timeout += (conn.sock.passed - passed) / LEAST_BYTES_A_SECOND
        self.sending.append(conn)

    def _after_answer(self, conn: Connection) -> None:
        """Go on with what is there of the next request. Raises OSError if that cannot be one."""
        conn.sock.end_answer()
        if not conn.is_kept:
            self._linger(conn)
            return
        conn.end_request()
        if not conn.collected:
            kept_alive = float(self.cfg.keepalive)
            seconds = kept_alive if self.alive else min(kept_alive, STOP_KEEPALIVE_LINGER)
            self._watch(conn, self.keepalived_conns, seconds, self.on_client_socket_readable)
        elif conn.is_complete():
            self.enqueue_req(conn)
        else:
            self._collect(conn)

    # ---- it ends -----------------------------------------------------------------------------

    def _linger(self, conn: Connection) -> None:
        """Close our side, and read on until the client has closed theirs (RFC 9112 section 9.6).

        Closing with something unread would take the answer from a client that is still sending.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._watch(conn, self.lingering, LINGER_SECONDS, self.on_lingering_socket_readable)

    def on_lingering_socket_readable(self, conn: Connection, client: PacedSocket) -> None:
        try:
            is_over = not os.read(client.fileno(), PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self.lingering.remove(conn)
            self._close(conn)

    def murder_pending(self) -> None:
        """Close connections whose time is over, except idle ones: gunicorn closes those."""
        now = time.monotonic()
        for waiting in (self.pending_conns, self.lingering):
            while waiting and waiting[0].timeout <= now:
                self._close(waiting.popleft())
        for conn in [conn for conn in self.sending if conn.timeout <= now]:
            if conn.sock.when_answered:  # of a picture; a stranger could fill the log with others
                logger.warning(TOO_SLOW)
            self.sending.remove(conn)
            self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let nothing that waits for a client keep a stopping worker beyond `deadline`."""
        waiting = (self.keepalived_conns, self.pending_conns, self.sending, self.lingering)
        for conn in chain.from_iterable(waiting):
            conn.timeout = min(conn.timeout, deadline)

    def _close(self, conn: Connection) -> None:
        with suppress(KeyError, ValueError, OSError):  # it may not be watched, or be gone
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def forget(self, peer: str) -> None:
        """Count one connection of `peer` less."""
        self.peers[peer] -= 1
        if not self.peers[peer]:
            del self.peers[peer]

    # ---- whom the main loop waits for --------------------------------------------------------

    def _watch(
        self,
        conn: Connection,
        waiting: "deque[Connection]",
        seconds: float,
        when_ready: Callable[[Connection, PacedSocket], None],
        event: int = EVENT_READ,
    ) -> None:
        """Wait so long for `conn`. All in one queue wait equally long, so its first is next, except
        in `sending`: a client that takes something goes to its end, and gets more time."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        waiting.append(conn)
        self.poller.register(conn.sock, event, partial(self._ready, conn, when_ready))

    def _ready(
        self,
        conn: Connection,
        when_ready: Callable[[Connection, PacedSocket], None],
        client: PacedSocket,
    ) -> None:
        if client.fileno() >= 0:  # otherwise closed to make room, in this very round of the loop
            when_ready(conn, client)

    def _unwatch(self, conn: Connection, waiting: "deque[Connection]") -> None:
        self.poller.unregister(conn.sock)
        waiting.remove(conn)
