"""What takes a whole core is taken in turns, and few wait for it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from accounts import turns
from accounts.hashers import NormalisingArgon2Hasher
from accounts.turns import Busy, Turns
from audit.context import RequestContext, current_request
from tests.conftest import PASSWORD


def test_one_more_than_may_wait_is_busy_at_once():
    line = Turns(at_once=1, waiting=1, wait_seconds=30)
    began, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with line.turn():
            began.set()
            leave.wait(30)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    threads[0].start()
    assert began.wait(30)
    threads[1].start()  # waits, or is about to: either way its place is taken
    while line._held.total() < 2:
        threads[1].join(0.01)
    with pytest.raises(Busy), line.turn():
        pass
    leave.set()
    for thread in threads:
        thread.join()
    with line.turn():
        pass


@contextmanager
def asking(network: str, known_as: str = "") -> Iterator[None]:
    token = current_request.set(RequestContext("", network, "", known_as))
    try:
        yield
    finally:
        current_request.reset(token)


@contextmanager
def filled(line: Turns, *askers: tuple[str, ...]) -> Iterator[Turns]:
    """The line with a place held for each of `askers`: network, and who it is known as."""
    with ExitStack() as stack:
        for asker in askers:
            with asking(*asker):
                stack.enter_context(line.turn())
        yield line


@pytest.mark.attack("F57")
def test_one_network_has_so_many_places_and_no_more():
    line = Turns(at_once=9, waiting=0, wait_seconds=0, each=2)
    with filled(line, ("203.0.113.0/24",), ("203.0.113.0/24",)):
        with asking("203.0.113.0/24"), pytest.raises(Busy), line.turn():
            pass
        with asking("198.51.100.0/24"), line.turn():
            pass
    with asking("203.0.113.0/24"), line.turn():
        pass


@pytest.mark.attack("F57")
def test_strangers_from_everywhere_leave_places_for_people_known():
    line = Turns(at_once=5, waiting=0, wait_seconds=0, each=2, strangers=3)
    with filled(line, *((f"203.0.{number}.0/24",) for number in range(3))):
        with asking("198.51.100.0/24"), pytest.raises(Busy), line.turn():
            pass
        with asking("203.0.1.0/24", "a browser"), line.turn(), line.turn():
            pass
        assert line._held.total() == 3


@pytest.mark.attack("F57")
def test_strangers_never_have_the_last_turn():
    line = Turns(at_once=2, waiting=4, wait_seconds=0.01, each=2, strangers=4)
    with filled(line, ("203.0.113.0/24",)):
        with asking("198.51.100.0/24"), pytest.raises(Busy), line.turn():
            pass
        with asking("203.0.113.0/24", "a browser"), line.turn():
            pass


def test_one_who_is_known_cannot_take_every_place_either():
    line = Turns(at_once=5, waiting=0, wait_seconds=0, each=2, strangers=3)
    with filled(line, ("", "a browser"), ("", "a browser")):
        with asking("", "a browser"), pytest.raises(Busy), line.turn():
            pass
        with asking("", "another browser"), line.turn():
            pass


@pytest.mark.attack("F57")
@pytest.mark.parametrize("line", [turns.KDF_TURNS, turns.KEY_MAKING_TURNS])
def test_neither_one_network_nor_all_strangers_can_take_every_place(line):
    assert line._each < line._most_strangers < line._most


def test_a_turn_that_ends_in_an_error_is_given_back():
    line = Turns(at_once=1, waiting=0, wait_seconds=0)
    for _ in range(3):
        with pytest.raises(KeyError), line.turn():
            raise KeyError


def test_a_wait_that_is_too_long_ends(monkeypatch):
    line = Turns(at_once=1, waiting=1, wait_seconds=0.01)
    with line.turn(), pytest.raises(Busy), line.turn():
        pass


@pytest.fixture
def all_taken(monkeypatch):
    taken = Turns(at_once=1, waiting=0, wait_seconds=0)
    taken._held["somebody else"] = 1
    monkeypatch.setattr(turns, "KDF_TURNS", taken)
    monkeypatch.setattr("accounts.hashers.KDF_TURNS", taken)
    monkeypatch.setattr("accounts.custody.KDF_TURNS", taken)


def test_hashing_a_password_takes_a_turn_too(all_taken):
    with pytest.raises(Busy):
        NormalisingArgon2Hasher().encode("a password", "saltsaltsalt")


def test_a_server_that_is_busy_deriving_says_so_and_when_to_come_back(alice, all_taken):
    alice.client.raise_request_exception = False
    form = {"username": "alice", "password": PASSWORD}
    answer = alice.client.post("/accounts/login/", form, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"]
