"""Who somebody is, with a limit on guesses at their password or recovery code.

Per person and network a few in a quarter of an hour, so that nobody can keep somebody else out; per
network, for all people, some more, so that one password cannot be tried on everybody; per person,
from any network, a hundred in an hour, so that changing address does not help. The last two exempt
browsers in which the person signed in before (OWASP, "Device cookies"): they have a limit of their
own, and so guessing from elsewhere, or from the same network, does not keep that person out.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import authenticate, update_session_auth_hash
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables

from accounts import throttle, usernames
from accounts.custody import DoesNotOpen
from accounts.keys.remembered import standing_of
from accounts.models import User
from accounts.services.ways_back.passwords import restore_password
from accounts.turns import Busy
from audit.context import client_network, recognise
from audit.unreadable import NO_ID

SALT = "accounts.known-browser"
ONE_YEAR_SECONDS = 31_536_000
NEAR, SPRAY, FAR = "guess", "guess-anybody", "guess-anywhere"
BY_KEY_SLOT = "accounts.backends.KeySlotBackend"


@dataclass(frozen=True)
class Window:
    """Where a try counts, and how many may."""

    scope: str
    subject: str
    limit: int
    length: timedelta


@sensitive_variables()
def identify(request: HttpRequest, *, username: str, **secret: str) -> User | None:
    """Return whose name and secret these are, or None. Raises Throttled, the right secret or not.

    Counted before it is checked: of many tries at once, none goes uncounted. A password that opens
    the keys, though another was set since, is the person's again. Raises Busy.
    """
    name = usernames.fold(username)
    known = known_browser(request, name)
    if not known and request.user.is_authenticated and request.user.username == name:
        known = str(request.user.pk)  # the session's person proves themselves once more
    if known:
        recognise(name)
    windows = _windows(name, known, client_network(request))
    _count(windows)
    try:
        user = authenticate(request, username=name, **secret)
        if user is not None and user.backend == BY_KEY_SLOT:
            user = _restored(request, user, secret["password"])
    except Busy:  # nothing was checked, so nothing was tried
        _take_back(windows)
        raise
    if user is not None and (user.pk == NO_ID or standing_of(user.pk).is_disabled):
        return None  # an id that cannot be read is nobody's; whatever the row says by now
    if user is not None:
        _take_back(windows)
        throttle.forget(NEAR, windows[-1].subject)
    return user


@sensitive_variables()
def _restored(request: HttpRequest, user: User, password: str) -> User | None:
    """Let the password sign in again from now on, and keep the session in which it was typed."""
    try:
        restore_password(user=user, password=password)
    except DoesNotOpen:
        return None
    if request.user == user:
        update_session_auth_hash(request, user)
    return user


def _windows(name: str, known: str | None, network: str) -> list[Window]:
    near = Window(NEAR, f"{name} {known or network}", settings.SIGN_IN_TRIES, settings.SIGN_IN_WAIT)
    if known:
        return [near]
    # The network's first: held by it, a made-up name leaves no row.
    spray = Window(SPRAY, network, settings.SIGN_IN_TRIES_PER_NETWORK, settings.SIGN_IN_WAIT)
    far = Window(FAR, name, settings.SIGN_IN_TRIES_PER_PERSON, throttle.HOUR)
    return [spray, far, near]


def _count(windows: list[Window]) -> None:
    """Count a try in each window. Held by one, it counts in no other: it is not checked."""
    for number, one in enumerate(windows):
        try:
            throttle.count(one.scope, one.subject, limit=one.limit, window=one.length)
        except throttle.Throttled:
            _take_back(windows[:number])
            raise


def _take_back(windows: list[Window]) -> None:
    for one in windows:
        throttle.take_back(one.scope, one.subject)


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
