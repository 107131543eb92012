"""Who is unlocked: a custody row here, the secret that opens it in the browser's cookie.

Locked is not signed out: lists stay, content asks for the password again.
"""

import base64
import binascii
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import COOKIE_SECRET_BYTES, DoesNotOpen, Keyring, open_with_cookie
from accounts.erasure import truncate_write_ahead_log
from accounts.folding import record_refusal
from accounts.keys.remembered import standing_of
from accounts.models import Custody, User
from accounts.services.deserving import opens_replaced_keys_alone
from accounts.unlocks import drop_ended
from accounts.web.kept import Kept
from audit.context import recognise
from audit.events import Event, record

SESSION_ENTRY = "custody"
UNTOUCHED = timedelta(minutes=1)  # the idle end moves at most this often: one write, not sixty
KEYRING = Kept[Keyring | None]("_keyring")


@sensitive_variables()
def unlock(request: HttpRequest, keyring: Keyring) -> bytes:
    """Keep `keyring` open for this browser; return the secret to give it (see `remember`).

    The secret is new at every unlock. Whatever this session had open before is dropped.
    """
    drop(request)
    drop_ended()
    secret = secrets.token_bytes(COOKIE_SECRET_BYTES)
    row = keyring.custody_row(secret)
    row.idle_ends_at = timezone.now() + settings.LOCK_AFTER
    row.absolute_ends_at = request.session.get_expiry_date()
    row.save()
    request.session[SESSION_ENTRY] = str(row.pk)
    KEYRING.keep(request, keyring)
    record(Event.ACCOUNT_UNLOCKED, actor=keyring.user.pk, subject=keyring.user.pk)
    return secret


@sensitive_variables()
def remember(response: HttpResponse, secret: bytes) -> HttpResponse:
    """Give the browser its half. A session cookie: closing the browser locks."""
    response.set_cookie(
        settings.UNLOCK_COOKIE_NAME,
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(settings.UNLOCK_COOKIE_NAME, samesite="Lax")
    return response


def lock(request: HttpRequest) -> None:
    """Drop what this session has open. The master key in the row is gone with the row."""
    if drop(request):
        record(Event.ACCOUNT_LOCKED, actor=request.user.pk, subject=request.user.pk)


def drop(request: HttpRequest) -> int:
    """Drop the custody row of this session; return how many there were."""
    KEYRING.keep(request, None)
    custody_id = request.session.pop(SESSION_ENTRY, None)
    dropped = Custody.objects.filter(pk=custody_id).delete()[0] if custody_id else 0
    if dropped:
        truncate_write_ahead_log()
    return dropped


def keyring_of(request: HttpRequest) -> Keyring | None:
    """Return the open keys of this request's person, or None while they are locked."""
    return KEYRING.of(request, _resume)


def keyring_now(request: HttpRequest) -> Keyring | None:
    """Return the open keys as a request would find them that comes now, for an answer that takes
    minutes: None if the person was locked, signed out or disabled since it began."""
    # get_user() reads the person's row again, and compares the password with the session's.
    is_signed_in = get_user(request).is_authenticated and _is_session_there(request)
    KEYRING.keep(request, _resume(request) if is_signed_in else None)
    return keyring_of(request)


def _is_session_there(request: HttpRequest) -> bool:
    key = request.session.session_key
    return key is not None and request.session.exists(key)


def open_keyring_of(request: HttpRequest) -> Keyring | None:
    """Return the keys that this request has opened already; opens none."""
    return KEYRING.if_found(request)


def _resume(request: HttpRequest) -> Keyring | None:
    user = request.user
    if not user.is_authenticated:
        return None
    row = _live_row(request, user)
    if row is None:
        return None
    try:
        keyring = open_with_cookie(user, row, _cookie_secret(request))
    except DoesNotOpen:
        record_refusal(request, Event.CUSTODY_REFUSED, subject=user.pk, reason="cookie")
        return None
    # Their row went with it, and somebody put it back.
    standing = standing_of(user.pk)
    if standing.is_shut_out or opens_replaced_keys_alone(keyring, standing):
        lock(request)
        return None
    idle_ends_at = timezone.now() + settings.LOCK_AFTER
    if idle_ends_at - row.idle_ends_at >= UNTOUCHED:
        # Conditional: a row dropped meanwhile is never written back.
        unmoved = Custody.objects.filter(pk=row.pk, idle_ends_at=row.idle_ends_at)
        unmoved.update(idle_ends_at=idle_ends_at)
        drop_ended()
    recognise(user.username)
    return keyring


def _live_row(request: HttpRequest, user: User) -> Custody | None:
    custody_id = request.session.get(SESSION_ENTRY)
    if custody_id is None or settings.UNLOCK_COOKIE_NAME not in request.COOKIES:
        return None
    row = Custody.objects.filter(pk=custody_id, user_id=user.pk).first()
    now = timezone.now()
    if row and (row.idle_ends_at <= now or row.absolute_ends_at <= now):
        lock(request)
        return None
    return row


def _cookie_secret(request: HttpRequest) -> bytes:
    text = request.COOKIES[settings.UNLOCK_COOKIE_NAME]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise DoesNotOpen from None
