"""What takes a whole core is taken in turns, and few wait for it."""

import threading

import pytest

from accounts import turns
from accounts.hashers import NormalisingArgon2Hasher
from accounts.turns import Busy, Turns
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
    while line._places._value:
        threads[1].join(0.01)
    with pytest.raises(Busy), line.turn():
        pass
    leave.set()
    for thread in threads:
        thread.join()
    with line.turn():
        pass


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
    taken._places.acquire()
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
