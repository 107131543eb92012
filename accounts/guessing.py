"""Who somebody is, with a limit on guesses at their password or recovery code.

Per person and network a few in a quarter of an hour, so that nobody can hold somebody else out;
per person, from wherever, a hundred in an hour, so that changing address does not help. That
second limit spares browsers in which the person signed in before (OWASP, "Device cookies"): they
have a limit of their own, and so guessing from elsewhere does not hold their person out.
"""

import secrets

from django.conf import settings
from django.contrib.auth import authenticate
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from accounts import throttle, usernames
from accounts.models import User
from accounts.remembered import is_disabled

SALT = "accounts.known-browser"
ONE_YEAR_SECONDS = 31_536_000
NEAR, FAR = "guess", "guess-anywhere"


@sensitive_variables()
def identify(request: HttpRequest, *, username: str, **secret: str) -> User | None:
    """Return whose name and secret these are, or None. Raises Throttled, the right secret or not.

    Counted before it is checked: of many tries at once, none goes uncounted.
    """
    name = usernames.fold(username)
    browser = known_browser(request, name)
    near = f"{name} {browser or throttle.network_of(request)}"
    throttle.count(NEAR, near, limit=settings.SIGN_IN_TRIES, window=settings.SIGN_IN_WAIT)
    if not browser:
        throttle.count(FAR, name, limit=settings.SIGN_IN_TRIES_PER_PERSON)
    user = authenticate(request, username=name, **secret)
    if user is not None and is_disabled(user.pk):
        return None  # whatever the row says by now
    if user is not None:
        throttle.forget(NEAR, near)
        if not browser:
            throttle.take_back(FAR, name)
    return user


def known_browser(request: HttpRequest, username: str) -> str | None:
    """Return the id of this browser, if this person signed in with it before."""
    try:
        known = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""),
            salt=SALT,
            max_age=ONE_YEAR_SECONDS,
        )
    except signing.BadSignature:
        return None
    return known["browser"] if known["username"] == username else None


def know_browser(response: HttpResponse, username: str) -> HttpResponse:
    """Let this browser be known as one that `username` signs in with. Not a proof of anybody."""
    known = {"username": username, "browser": secrets.token_hex(16)}
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps(known, salt=SALT),
        max_age=ONE_YEAR_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
