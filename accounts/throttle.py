"""How often somebody may do what is costly, or tells names. Sign-in itself: django-axes."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.answers import refusal
from accounts.models import ThrottleWindow
from audit.events import Event, Outcome, record

WINDOW = timedelta(hours=1)


class Throttled(Exception):
    """Too often; `wait_seconds` until it is allowed again."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__("too often")
        self.wait_seconds = wait_seconds


def count(scope: str, subject: str, *, limit: int, amount: int = 1) -> None:
    """Count `amount` doings of `subject`. Raises Throttled once `limit` an hour is passed.

    Kept in the database, so that all processes count together; the subject only as a digest.
    """
    digest = hashlib.sha256(subject.encode()).hexdigest()
    now = timezone.now()
    windows = ThrottleWindow.objects.filter(scope=scope, subject=digest)
    windows.filter(started_at__lte=now - WINDOW).delete()
    if not windows.update(count=F("count") + amount):
        try:
            windows.create(scope=scope, subject=digest, started_at=now, count=amount)
        except IntegrityError:  # another request began the window meanwhile
            windows.update(count=F("count") + amount)
    window = windows.first()
    if window and window.count > limit:
        wait = window.started_at + WINDOW - now
        raise Throttled(max(1, int(wait.total_seconds())))


def throttled(request: HttpRequest, wait_seconds: int) -> HttpResponse:
    """Return 429 with Retry-After, and record it."""
    record(Event.ACCOUNT_THROTTLED, actor=request.user.pk, outcome=Outcome.REFUSED)
    minutes = -(-wait_seconds // 60)
    sentence = _("Too many tries. Nothing was changed. Try again in %(minutes)s minutes.")
    response = refusal(request, 429, "throttled", sentence % {"minutes": minutes})
    response.headers["Retry-After"] = str(wait_seconds)
    return response


def too_many_tries(
    request: HttpRequest, original_response: HttpResponse, credentials: object
) -> HttpResponse:
    """What django-axes answers while a person's sign-in from this address is held."""
    return throttled(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))
