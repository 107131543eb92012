"""Checks that stop a weaker deployment from starting unnoticed."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.organisation import pin as organisation
from accounts.policy import CLOSED, INVITE, OPEN

REGISTRATIONS = (OPEN, INVITE, CLOSED)
LEAST_TIME_COST = 2  # Django's Argon2PasswordHasher; OWASP ASVS 5.0 Appendix C asks for less
LEAST_MEMORY_KIB = 102_400
LEAST_SECRET_LENGTH = 32
LEAST_DIFFERENT_CHARACTERS = 10


@register(Tags.security)
def check_kdf_floor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E001: the KEK must cost an attacker at least what the password hash does."""
    strong = (
        settings.KDF_FLOOR_TIME_COST >= LEAST_TIME_COST
        and settings.KDF_FLOOR_MEMORY_KIB >= LEAST_MEMORY_KIB
        and settings.KDF_TIME_COST >= settings.KDF_FLOOR_TIME_COST
        and settings.KDF_MEMORY_KIB >= settings.KDF_FLOOR_MEMORY_KIB
    )
    if strong or settings.TESTING:
        return []
    return [
        Error(
            "The key derivation's cost is below its floor.",
            hint=f"KDF_FLOOR_TIME_COST ≥ {LEAST_TIME_COST}, KDF_FLOOR_MEMORY_KIB ≥ "
            f"{LEAST_MEMORY_KIB}, and neither cost below its floor.",
            id="accounts.E001",
        )
    ]


@register(Tags.security)
def check_uploads_stay_in_memory(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E002: Django's temporary files would hold pictures in the clear."""
    if settings.FILE_UPLOAD_HANDLERS == ["gallery.uploads.MemoryUploadHandler"]:
        return []
    return [
        Error(
            "FILE_UPLOAD_HANDLERS must be gallery.uploads.MemoryUploadHandler alone.",
            hint="Any other handler writes uploads to disk unencrypted.",
            id="accounts.E002",
        )
    ]


@register(Tags.security)
def check_registration(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E004: a word we do not know counts as closed, and somebody should be told."""
    if settings.REGISTRATION in REGISTRATIONS:
        return []
    words = ", ".join(REGISTRATIONS)
    return [Error(f"REGISTRATION must be one of: {words}.", hint="Set it.", id="accounts.E004")]


@register(Tags.security)
def check_secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E005: who knows the key makes the cookies that spare a browser the throttles.

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
    sentence = "TRUSTED_PROXIES is 0 though SITE_URL is https: everybody would be the proxy."
    return [Error(sentence, hint=hint, id="accounts.E007")]


@register(Tags.security)
def check_testing_is_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """accounts.E003: TESTING allows cheap key derivation, and is for the test suite alone."""
    if settings.TESTING and settings.HTTPS:
        return [Error("TESTING is on for an https site.", hint="Unset it.", id="accounts.E003")]
    return []
