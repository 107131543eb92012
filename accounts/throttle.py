"""How often somebody may do what is costly, reveals names, or is a guess at a secret."""

import hashlib
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.folding import record_refusal
from accounts.models import ThrottleWindow
from accounts.web.answers import refusal
from audit.events import Event

HOUR = timedelta(hours=1)


class Throttled(Exception):
    """Too often; `wait_seconds` until it is allowed again."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__("too often")
        self.wait_seconds = wait_seconds


def count(
    scope: str, subject: str, *, limit: int, amount: int = 1, window: timedelta = HOUR
) -> None:
    """Count `amount` doings of `subject`. Raises Throttled once `limit` in a window is passed.

    Kept in the database, so that all processes count together; the subject only as a digest. A
    try while held does not prolong the wait: the window ends when it ends.
    """
    now = timezone.now()
    windows = _windows(scope, subject)
    windows.filter(ends_at__lte=now).delete()
    if not windows.update(count=F("count") + amount):
        new = ThrottleWindow(scope=scope, subject=_digest(subject), ends_at=now + window)
        new.count = amount
        try:
            new.save(force_insert=True)
        except IntegrityError:  # another request began the window meanwhile
            windows.update(count=F("count") + amount)
    kept = windows.first()
    if kept and kept.count > limit:
        raise Throttled(max(1, int((kept.ends_at - now).total_seconds())))


def take_back(scope: str, subject: str, *, amount: int = 1) -> None:
    """Uncount `amount` doings: they turned out to be none."""
    _windows(scope, subject).filter(count__gte=amount).update(count=F("count") - amount)


def forget(scope: str, subject: str) -> None:
    """Forget the tries of `subject`."""
    _windows(scope, subject).delete()


def _windows(scope: str, subject: str) -> QuerySet[ThrottleWindow]:
    return ThrottleWindow.objects.filter(scope=scope, subject=_digest(subject))


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()


def throttled(request: HttpRequest, wait_seconds: int) -> HttpResponse:
    """Return 429 with Retry-After, and record it."""
    record_refusal(request, Event.ACCOUNT_THROTTLED)
    minutes = -(-wait_seconds // 60)
    sentence = _("Too many tries. Nothing was changed. Try again in %(minutes)s minutes.")
    response = refusal(request, 429, "throttled", sentence % {"minutes": minutes})
    response.headers["Retry-After"] = str(wait_seconds)
    return response
