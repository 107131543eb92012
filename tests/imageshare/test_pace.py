"""A thread waits for a client as long as the client keeps a pace: few bytes or many."""

import socket
from threading import Thread

import pytest

from imageshare.pace import LEAST_BYTES_A_SECOND, PacedSocket


@pytest.fixture
def pair(settings):
    settings.SLOW_CLIENT_SECONDS = 0.05
    ours, client = socket.socketpair()
    with PacedSocket(fileno=ours.detach()) as paced, client:
        yield paced, client


@pytest.mark.attack("F61")
def test_who_sends_nothing_is_cut_off(pair):
    paced, client = pair
    with pytest.raises(ConnectionResetError):
        paced.recv(100)
    assert client.recv(100) == b""  # the connection is over, for the client too


@pytest.mark.attack("F58", "F77")
def test_nobody_waits_for_a_client_that_does_not_read(pair):
    paced, client = pair
    while not paced.unsent:
        paced.sendall(b"x" * 1000)
    paced.sendall(b"y" * 5_000_000)
    assert paced.waited == 0
    client.settimeout(10)
    received = bytearray()
    while not paced.flush():
        received += client.recv(1_000_000)
    paced.shutdown(socket.SHUT_WR)
    while piece := client.recv(1_000_000):
        received += piece
    assert received.endswith(b"y" * 5_000_000)
    assert len(received) == paced.passed


def test_of_an_answer_with_a_limit_no_more_is_kept_and_the_whole_arrives(pair, settings):
    paced, client = pair
    settings.SLOW_CLIENT_SECONDS = 20
    paced.most_unsent = 1000
    received = bytearray()

    def read() -> None:
        while piece := client.recv(10_000):
            received.extend(piece)

    reader = Thread(target=read)
    reader.start()
    for letter in b"abcdefgh":
        paced.sendall(bytes([letter]) * 500_000)
        assert len(paced.unsent) <= 1000
    paced.most_unsent = 0
    paced.sendall(b"")
    paced.shutdown(socket.SHUT_WR)
    reader.join()
    assert bytes(received) == b"".join(bytes([letter]) * 500_000 for letter in b"abcdefgh")
    assert paced.passed == len(received)


@pytest.mark.attack("F96")
def test_who_reads_nothing_of_an_answer_with_a_limit_is_cut_off(pair, caplog):
    paced, _ = pair
    paced.most_unsent, paced.waited = 1000, 100.0
    with pytest.raises(ConnectionResetError):
        paced.sendall(b"x" * 5_000_000)
    assert not paced.unsent
    assert caplog.messages == ["A client was too slow and was cut off."]


def test_no_more_is_made_of_an_answer_than_its_reader_takes(pair):
    paced, client = pair
    made = []

    def pieces():
        for number in range(100):
            made.append(number)
            yield bytes([number]) * 100_000

    paced.source = pieces()
    paced.draw()
    assert 0 < len(paced.unsent) <= 100_000
    assert len(made) < 100
    received = bytearray()
    client.settimeout(10)
    while paced.source or paced.unsent:
        received += client.recv(1_000_000)
        before, unsent = len(made), len(paced.unsent)
        paced.draw()
        assert len(paced.unsent) <= max(unsent, 100_000)
        assert before == len(made) or len(made) <= before + 11  # as much as was taken, and a piece
    while len(received) < paced.passed:
        received += client.recv(1_000_000)
    assert bytes(received) == b"".join(bytes([number]) * 100_000 for number in range(100))


def test_an_answer_that_is_given_up_lets_go_of_what_it_was_made_from(pair):
    paced, _ = pair
    let_go = []

    def pieces():
        try:
            yield from iter(lambda: bytes(1_000_000), b"")
        finally:
            let_go.append(True)

    paced.source = pieces()
    paced.draw()
    assert not let_go
    paced.end_answer()
    assert (let_go, paced.source) == ([True], None)


@pytest.mark.attack("F61")
def test_waits_add_up_however_often_a_byte_comes(pair):
    paced, client = pair
    paced.waited = 100.0
    client.sendall(b"x")
    assert paced.recv(1) == b"x"  # what is there is taken; it is waiting that is used up
    with pytest.raises(ConnectionResetError):
        paced.recv(1)


def test_bytes_that_passed_earn_time(pair, settings):
    paced, _ = pair
    settings.SLOW_CLIENT_SECONDS = 20
    paced.passed, paced.waited = 1000 * LEAST_BYTES_A_SECOND, 0
    with paced._waiting():
        assert paced.gettimeout() == 1020


def test_a_new_request_begins_with_all_the_time_there_is(pair):
    paced, _ = pair
    paced.waited, paced.passed, paced.most_unsent = 100.0, 5, 1000
    paced.begin_request()
    assert (paced.waited, paced.passed, paced.most_unsent) == (0, 0, None)


def test_an_answer_to_a_client_that_was_cut_off_waits_for_nobody(pair):
    paced, _ = pair
    with pytest.raises(ConnectionResetError):
        paced.recv(1)
    with pytest.raises(BrokenPipeError):
        paced.sendall(b"x")
