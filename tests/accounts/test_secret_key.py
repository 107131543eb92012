"""Anybody who guesses SECRET_KEY makes known-browser cookies, which spare a browser the
throttles."""

import pytest

from accounts.checks import check_secret_key

GUESSABLE = ["dev", "changeme", "a" * 64, "abc" * 20, "django-insecure-" + "x7Qp2mZk9R" * 5]


@pytest.mark.attack("C1")
@pytest.mark.parametrize("key", GUESSABLE)
def test_a_guessable_key_is_an_error_also_as_a_fallback(key, settings):
    settings.SECRET_KEY = key
    assert [error.id for error in check_secret_key(None)] == ["accounts.E005"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "k9#mQ2!xV7pL" * 4, [key]
    assert [error.id for error in check_secret_key(None)] == ["accounts.E005"]


def test_a_random_key_is_none(settings):
    settings.SECRET_KEY = "k9#mQ2!xV7pL" * 4
    assert check_secret_key(None) == []
