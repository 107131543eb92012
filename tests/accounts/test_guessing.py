"""Guessing is slow, from one address or from many, and locks nobody else out."""

import pytest
from django.core import signing
from django.test import Client

from accounts import turns
from accounts.models import ThrottleWindow
from accounts.turns import Turns
from accounts.web import guessing
from accounts.web.guessing import SALT
from tests.conftest import PASSWORD
from tests.stored import holds

JSON = {"accept": "application/json"}
LOGIN = "/accounts/login/"


def guess(address: str, password: str = "wrong password", name: str = "alice", **client: str):
    browser = Client(REMOTE_ADDR=address, **client)
    return browser.post(LOGIN, {"username": name, "password": password}, headers=JSON)


@pytest.mark.attack("C8")
def test_changing_address_gives_a_hundred_tries_and_no_more(alice, settings):
    settings.SIGN_IN_TRIES_PER_PERSON = 5
    statuses = [guess(f"203.0.{number}.1").status_code for number in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert guess("198.51.100.7", PASSWORD).status_code == 429


@pytest.mark.attack("F56")
@pytest.mark.parametrize(
    ("network", "elsewhere"),
    [("192.0.2.{}", "192.0.3.1"), ("2001:db8:1:{}::1", "2001:db8:2::1")],
)
def test_a_network_is_one_address(alice, settings, network, elsewhere):
    for number in range(settings.SIGN_IN_TRIES):
        guess(network.format(number))
    assert guess(network.format(99), PASSWORD).status_code == 429
    assert guess(elsewhere, PASSWORD).status_code == 200


# ---- many names from one network -------------------------------------------------------------


def spray(tries: int, network: str = "203.0.113.{}") -> list[int]:
    return [guess(network.format(n), name=f"nobody{n}").status_code for n in range(tries)]


@pytest.mark.attack("F56")
def test_forty_names_from_one_network_meet_a_limit(alice, settings):
    most = settings.SIGN_IN_TRIES_PER_NETWORK
    assert spray(40) == [422] * most + [429] * (40 - most)
    assert guess("203.0.113.200", PASSWORD).status_code == 429
    assert guess("198.51.100.1", PASSWORD).status_code == 200


@pytest.mark.attack("F57")
def test_who_sprays_beside_a_known_browser_does_not_hold_it_out(alice, settings):
    alice.sign_in()
    alice.client.post("/accounts/logout/")
    spray(settings.SIGN_IN_TRIES_PER_NETWORK + 1, "127.0.0.{}")
    assert guess("127.0.0.1", PASSWORD).status_code == 429
    assert alice.sign_in()


def test_who_is_signed_in_unlocks_whatever_is_tried_beside_them(alice, settings):
    client = alice.sign_in()
    client.post("/accounts/lock/")
    del client.cookies["known"]
    spray(settings.SIGN_IN_TRIES_PER_NETWORK + 1, "127.0.0.{}")
    assert client.post("/accounts/unlock/", {"password": PASSWORD}, headers=JSON).status_code == 200


def test_names_that_are_not_checked_any_more_leave_no_rows(alice, settings):
    spray(settings.SIGN_IN_TRIES_PER_NETWORK)
    rows = ThrottleWindow.objects.count()
    spray(40)
    assert ThrottleWindow.objects.count() == rows


def test_one_name_tried_too_often_uses_up_nothing_of_its_network(alice, settings):
    for _ in range(settings.SIGN_IN_TRIES_PER_NETWORK):
        guess("203.0.113.9")
    assert guess("203.0.113.9", name="bob").status_code == 422


def test_a_try_that_was_not_checked_for_want_of_a_turn_counts_nowhere(alice, settings, monkeypatch):
    full = Turns(at_once=1, waiting=0, wait_seconds=0)
    full._held["somebody else"] = 1
    monkeypatch.setattr("accounts.hashers.KDF_TURNS", full)
    form = {"username": "alice", "password": PASSWORD}
    browser = Client(raise_request_exception=False)
    for _ in range(settings.SIGN_IN_TRIES + 1):
        assert browser.post(LOGIN, form, headers=JSON).status_code == 503
    assert not ThrottleWindow.objects.filter(count__gt=0).exists()


def test_no_address_is_one_address(alice, settings):
    statuses = {guess("").status_code for _ in range(settings.SIGN_IN_TRIES + 1)}
    assert statuses == {422, 429}


def test_a_forwarded_address_counts_only_behind_a_proxy_of_ours(alice, settings):
    for number in range(settings.SIGN_IN_TRIES):
        guess("203.0.113.9", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    answer = guess("203.0.113.9", PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert answer.status_code == 429


def test_guessing_from_elsewhere_does_not_hold_a_known_browser_out(alice, settings):
    settings.SIGN_IN_TRIES_PER_PERSON = 3
    alice.sign_in()
    alice.client.post("/accounts/logout/")
    for number in range(5):
        guess(f"203.0.113.{number}")
    assert guess("192.0.2.1", PASSWORD).status_code == 429
    assert alice.sign_in()


def test_a_known_browser_has_a_limit_of_its_own(alice, settings):
    alice.sign_in()
    for _ in range(settings.SIGN_IN_TRIES):
        alice.client.post(LOGIN, {"username": "alice", "password": "wrong password"})
    answer = alice.client.post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=JSON)
    assert answer.status_code == 429
    assert guess("192.0.2.1", PASSWORD).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        "forged",
        signing.dumps({"username": "alice", "browser": "x"}, key="another key", salt=SALT),
        signing.dumps({"username": "bob", "browser": "x"}, salt=SALT),
        signing.dumps({"username": "alice", "browser": "x"}, salt="another salt"),
    ],
    ids=["forged", "another-key", "another-person", "another-salt"],
)
def test_a_cookie_of_another_make_or_person_is_no_known_browser(alice, settings, cookie):
    settings.SIGN_IN_TRIES_PER_PERSON = 0
    browser = Client()
    browser.cookies["known"] = cookie
    form = {"username": "alice", "password": PASSWORD}
    assert browser.post(LOGIN, form).status_code == 429


@pytest.mark.attack("F57")
def test_many_known_browsers_and_sessions_of_one_person_are_one_at_the_derivation(
    alice, monkeypatch
):
    """Signing in makes another known browser each time, as often as one likes."""
    browsers, asked = [Client(), Client(), alice.client], []
    for browser in browsers:
        browser.post(LOGIN, {"username": "alice", "password": PASSWORD})
        if browser is not alice.client:
            browser.post("/accounts/logout/")

    def ask(request, **secret):
        asked.append(turns._asking())

    monkeypatch.setattr(guessing, "authenticate", ask)
    for browser in browsers[:2]:
        browser.post(LOGIN, {"username": "alice", "password": PASSWORD})
    alice.client.post("/accounts/recovery-code/", {"password": PASSWORD})
    assert asked == [("alice", True)] * 3


def test_right_passwords_use_no_tries_up(alice, settings):
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_PERSON = 2
    assert {guess("192.0.2.1", PASSWORD).status_code for _ in range(5)} == {200}


@pytest.mark.parametrize(
    ("address", "form"),
    [
        (LOGIN, {"username": "alice", "password": "canary-guess-77"}),
        ("/accounts/unlock/", {"password": "canary-guess-77"}),
        (
            "/accounts/password/",
            {
                "old_password": "canary-guess-77",
                "new_password1": "canary-new-pass-77",
                "new_password2": "canary-new-pass-77",
            },
        ),
    ],
)
def test_what_was_typed_is_kept_nowhere(alice, address, form):
    client = alice.sign_in()
    assert client.post(address, form).status_code == 422
    assert ThrottleWindow.objects.exists()
    assert holds(b"alice")
    assert not holds(b"canary")
    assert not holds(b"canary", "audit")


def test_tries_of_the_recovery_code_and_of_the_password_count_together(alice, settings):
    settings.SIGN_IN_TRIES = 2
    form = {
        "username": "alice",
        "recovery_code": "00000" * 6,
        "new_password1": "an entirely new one 42",
        "new_password2": "an entirely new one 42",
    }
    browser = Client()
    for _ in range(2):
        assert browser.post("/accounts/recover/", form).status_code == 422
    answer = browser.post("/accounts/recover/", {**form, "recovery_code": alice.recovery_code})
    assert answer.status_code == 429
    assert browser.post(LOGIN, {"username": "alice", "password": PASSWORD}).status_code == 429
