"""The main loop sends what readers have not taken: for as long as they keep the pace."""

import logging
import selectors
import socket
from collections.abc import Iterator
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
