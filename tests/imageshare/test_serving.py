"""The main loop sends what readers have not taken: for as long as they keep the pace."""

import logging
import selectors
import socket
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from imageshare.connections import Connection
from imageshare.serving import Worker

LARGE = bytes(5_000_000)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(0, 0, [], None, 0, Config(), logging.getLogger("gunicorn.error"))
    worker.poller = selectors.DefaultSelector()
    yield worker
    worker.poller.close()
    worker.tmp.close()


@pytest.fixture
def reader(worker) -> Iterator[SimpleNamespace]:
    """A client that has been answered with a picture, and has read nothing of it."""
    ours, client = socket.socketpair()
    conn = Connection(worker.cfg, ours, ("192.0.2.1", 1), ("", 0), worker.forget)
    worker.nr_conns += 1
    worker.peers["192.0.2.1"] += 1
    given_back: list[bool] = []
    conn.sock.when_answered = lambda: given_back.append(True)
    conn.sock.sendall(LARGE)
    with client:
        yield SimpleNamespace(conn=conn, client=client, given_back=given_back)
    conn.sock.close()


@pytest.mark.attack("F61", "F77")
def test_who_reads_nothing_is_cut_off_and_its_room_comes_back(worker, reader, caplog):
    reader.conn.sock.waited = 1_000_000.0
    worker._send_rest(reader.conn)
    worker.murder_pending()
    assert (worker.nr_conns, reader.given_back, list(worker.sending)) == (0, [True], [])
    assert caplog.messages == ["A client was too slow and was cut off."]


def test_bytes_that_are_read_earn_time_and_the_whole_arrives(worker, reader):
    worker._send_rest(reader.conn)
    ends, received = [], 0
    while worker.sending:
        assert not reader.given_back
        ends.append(reader.conn.timeout)
        received += len(reader.client.recv(1_000_000))
        worker.wait_for_and_dispatch_events(timeout=0)
        worker.murder_pending()
    assert ends == sorted(ends)
    assert ends[-1] - ends[0] > 60  # at the least pace five megabytes take ten minutes
    while received < len(LARGE):
        received += len(reader.client.recv(1_000_000))
    assert received == len(LARGE)
    assert reader.given_back == [True]


def test_who_goes_away_gives_room_back(worker, reader):
    worker._send_rest(reader.conn)
    reader.client.close()
    worker.wait_for_and_dispatch_events(timeout=0)
    assert (worker.nr_conns, reader.given_back) == (0, [True])


# ---- answers that are made while they are sent -----------------------------------------------


PIECE = 250_000
Pieces = Generator[bytes, None, None]


@pytest.fixture
def drawing(worker) -> Iterator[Callable[[Pieces], SimpleNamespace]]:
    """Begin to answer a client, who has read nothing of it, from a source."""
    worker.tpool = ThreadPoolExecutor(1)
    worker.method_queue.init()
    worker.poller.register(
        worker.method_queue.fileno(), selectors.EVENT_READ, worker.method_queue.run_callbacks
    )
    ours, client = socket.socketpair()
    client.settimeout(10)
    conn = Connection(worker.cfg, ours, ("192.0.2.1", 1), ("", 0), worker.forget)
    worker.nr_conns += 1
    worker.peers["192.0.2.1"] += 1

    def begin(source: Pieces) -> SimpleNamespace:
        conn.sock.source, conn.is_kept = source, False
        worker._submit(worker._go_on, conn)
        return SimpleNamespace(conn=conn, client=client)

    with client:
        yield begin
    worker.tpool.shutdown()
    worker.method_queue.close()
    conn.sock.close()


def read_all(worker: Worker, client: socket.socket) -> tuple[int, int]:
    """Let a slow client read to the end: how much came, and the most that was kept for it."""
    received = kept = 0
    while True:
        worker.wait_for_and_dispatch_events(timeout=0.01)
        kept = max([kept, *(len(conn.sock.unsent) for conn in worker.sending)])
        try:
            piece = client.recv(10_000, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if not piece:
            return received, kept
        received += len(piece)


@pytest.mark.attack("F77")
def test_of_a_large_answer_no_more_than_a_piece_waits_for_its_reader(worker, drawing):
    begun = drawing(bytes(PIECE) for _ in range(20))
    received, kept = read_all(worker, begun.client)
    assert received == 20 * PIECE
    assert 0 < kept <= PIECE


@pytest.mark.attack("F190")
def test_an_answer_whose_source_fails_ends_short(worker, drawing, caplog):
    def source() -> Pieces:
        yield bytes(PIECE)
        yield bytes(PIECE)
        raise ValueError("changed meanwhile")

    received, _ = read_all(worker, drawing(source()).client)
    assert received == 2 * PIECE
    assert caplog.messages == ["An answer broke off."]


def test_waiting_for_one_piece_after_the_other_adds_up(worker, drawing):
    begun = drawing(bytes(PIECE) for _ in range(20))
    while not worker.sending:
        worker.wait_for_and_dispatch_events(timeout=0.01)
    begun.conn.waiting_since -= 1000
    received = 0
    while worker.sending and begun.conn.sock.waited < 1000:
        received += len(begun.client.recv(10_000))
        worker.wait_for_and_dispatch_events(timeout=0)
    while not worker.sending:
        worker.wait_for_and_dispatch_events(timeout=0.01)
    worker.murder_pending()
    assert worker.nr_conns == 0
