"""One name taken fifty times at once, one password changed twice at once: one of them wins."""

import threading
from collections import Counter

import pytest

from accounts import custody, hashers
from accounts.models import KeyPair, KeySlot, MacKey, User
from accounts.services import key_making
from accounts.turns import Turns
from audit.models import AuditEntry
from audit.verification import verify
from cryptocore import keypair
from tests.concurrency import JSON, Client, at_once, same_browser
from tests.conftest import PASSWORD
from tests.keys import PAIRS, load_pair

TRIES = 50
CHANGES = 10


@pytest.fixture
def no_turns(monkeypatch):
    """As between processes, which share no turns: all of them reach the database."""
    everybody = Turns(at_once=TRIES, waiting=TRIES, wait_seconds=60)
    for module, name in (
        (key_making, "KEY_MAKING_TURNS"),
        (custody, "KDF_TURNS"),
        (hashers, "KDF_TURNS"),
    ):
        monkeypatch.setattr(module, name, everybody)


@pytest.fixture
def keys_for_everybody(monkeypatch):
    """Each thread has two of the fixed pairs: there are fewer of them than tries."""
    own, begun, lock = threading.local(), [0], threading.Lock()

    def generate():
        if not hasattr(own, "numbers"):
            with lock:
                begun[0] += 2
            own.numbers = [1 + (begun[0] + more) % PAIRS for more in (0, 1)]
        own.numbers.reverse()
        return load_pair(own.numbers[0])

    monkeypatch.setattr(keypair, "generate", generate)


def register(number: int) -> int:
    form = {"username": "alice", "password1": PASSWORD, "password2": PASSWORD}
    form["display_name"] = f"Alice the {number}th"
    browser = Client(raise_request_exception=False)
    return browser.post("/accounts/register/", form, headers=JSON).status_code


@pytest.mark.attack("C6")
def test_one_name_registered_fifty_times_at_once_is_one_account(no_turns, keys_for_everybody):
    answers = Counter(at_once(register, range(TRIES)))
    assert answers == {201: 1, 422: TRIES - 1}
    assert User.objects.count() == KeySlot.objects.count() == MacKey.objects.count() == 1
    assert KeyPair.objects.count() == 2
    made = AuditEntry.objects.filter(event="account:registered", outcome="done")
    assert [entry.subject for entry in made] == [User.objects.get().pk]
    assert list(verify()) == []


def change(tab, old: str, new: str) -> int:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return tab.post("/accounts/password/", form, headers=JSON).status_code


def test_of_two_password_changes_at_once_one_wins_and_its_password_opens(alice, no_turns):
    for number in range(CHANGES):
        old = alice.password
        browser = alice.sign_in()
        tabs = {f"changed {number} in the {side} tab": same_browser(browser) for side in "ab"}
        answers = at_once(lambda one, old=old: change(one[1], old, one[0]), tabs.items())
        (won,) = [new for new, status in zip(tabs, answers, strict=True) if status == 200]
        assert sorted(answers)[1] < 500
        alice.password = won
        user = User.objects.get(pk=alice.user.pk)
        assert user.check_password(won)
        assert custody.open_with_password(user, won)
        assert KeySlot.objects.filter(user=user, kind="password").count() == 1
    assert list(verify()) == []
