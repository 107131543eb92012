"""Guessing is slow, from one address or from many, and holds nobody else out."""

import pytest
from django.core import signing
from django.test import Client

from accounts.guessing import SALT
from accounts.models import ThrottleWindow
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
    statuses = [guess(f"203.0.113.{number}").status_code for number in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert guess("198.51.100.7", PASSWORD).status_code == 429


def test_an_ipv6_network_is_one_address(alice, settings):
    for number in range(settings.SIGN_IN_TRIES):
        guess(f"2001:db8:1:2::{number}")
    assert guess("2001:db8:1:2:ffff::1", PASSWORD).status_code == 429
    assert guess("2001:db8:1:3::1", PASSWORD).status_code == 200


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
)
def test_a_cookie_of_another_make_or_person_is_no_known_browser(alice, settings, cookie):
    settings.SIGN_IN_TRIES_PER_PERSON = 0
    browser = Client()
    browser.cookies["known"] = cookie
    form = {"username": "alice", "password": PASSWORD}
    assert browser.post(LOGIN, form).status_code == 429


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
