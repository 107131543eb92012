"""Checks that stop a weaker deployment from starting unnoticed."""

import os
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.organisation import pin as organisation
from accounts.policy import CLOSED, INVITATIONS, INVITE, OPEN

REGISTRATIONS = (OPEN, INVITATIONS, INVITE, CLOSED)
LEAST_SECRET_LENGTH = 32
LEAST_DIFFERENT_CHARACTERS = 10


SETTINGS_GONE = {
    "KDF_PARALLELISM": "It is 8 everywhere. Unset it.",
    "KDF_FLOOR_TIME_COST": "The minimum is 2. Raise KDF_TIME_COST: it never makes a slot cheaper.",
    "KDF_FLOOR_MEMORY_KIB": (
        "The minimum is 102400. Raise KDF_MEMORY_KIB: it never makes a slot cheaper."
    ),
    "KDF_CEILING_TIME_COST": "The maximum is 20. Unset it.",
    "KDF_CEILING_MEMORY_KIB": "The maximum is 1048576. Unset it.",
}


@register
def check_no_setting_is_gone(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.W001: what an installation was made to do by a variable it does no longer."""
    return [
        checks.Warning(f"{name} is set, but is no longer read.", hint=successor, id="accounts.W001")
        for name, successor in SETTINGS_GONE.items()
        if name in os.environ
    ]


@register(Tags.security)
def check_kdf_floor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E001: the KEK must cost an attacker at least what the password hash does."""
    least_time, least_memory = settings.KDF_FLOOR_TIME_COST, settings.KDF_FLOOR_MEMORY_KIB
    if least_time <= settings.KDF_TIME_COST and least_memory <= settings.KDF_MEMORY_KIB:
        return []
    return [
        Error(
            "The key derivation's cost is below the minimum.",
            hint=f"KDF_TIME_COST ≥ {least_time}, KDF_MEMORY_KIB ≥ {least_memory}.",
            id="accounts.E001",
        )
    ]


@register(Tags.security)
def check_registration(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E004: a word we do not know counts as closed, and somebody should know."""
    if settings.REGISTRATION in REGISTRATIONS:
        return []
    words = ", ".join(REGISTRATIONS)
    return [Error(f"REGISTRATION must be one of: {words}.", hint="Set it.", id="accounts.E004")]


@register(Tags.security)
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E005: somebody who knows the key can make the cookies that exempt a browser from the
    throttles.

    Django only warns, and only under --deploy (security.W009).
    """
    if all(map(_is_unguessable, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])):
        return []
    return [
        Error(
            "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can be guessed.",
            hint=f"At least {LEAST_SECRET_LENGTH} random characters. Without SECRET_KEY in the "
            "environment the first start makes one.",
            id="accounts.E005",
        )
    ]


def _is_unguessable(key: str) -> bool:
    return (
        len(key) >= LEAST_SECRET_LENGTH
        and len(set(key)) >= LEAST_DIFFERENT_CHARACTERS
        and not key.startswith("django-insecure-")
    )


@register(Tags.security)
def check_recovery_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E006: a swapped public half would be wrapped every account's opening keys."""
    if not organisation.is_set_up():
        return []
    try:
        organisation.public_key()
    except organisation.NotTheKey as not_the_key:
        hint = "Put the right file back, or pin the key it holds if you replaced it yourself."
        return [Error(str(not_the_key), hint=hint, id="accounts.E006")]
    return []


@register(Tags.security)
def check_a_proxy_is_trusted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E007: nothing here speaks TLS, so over https every request is the proxy's."""
    if settings.TRUSTED_PROXIES > 0 or not settings.HTTPS:
        return []
    hint = "Leave it unset, or say how many proxies of yours stand in front."
    sentence = (
        "TRUSTED_PROXIES is 0 although SITE_URL is https: everybody would seem to come from the "
        "proxy."
    )
    return [Error(sentence, hint=hint, id="accounts.E007")]


@register(Tags.security)
def check_testing_is_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E003: TESTING allows cheap key derivation, and is for the test suite alone."""
    if settings.TESTING and settings.HTTPS:
        return [Error("TESTING is on for an https site.", hint="Unset it.", id="accounts.E003")]
    return []
