"""What holds for every answer and every request, whichever app serves it."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.deserving import NotRemembered
from accounts.throttle import Throttled, throttled
from accounts.turns import CLIENT_TURNS, Turns
from accounts.web.answers import refusal
from accounts.web.decorators import unlocked
from audit.context import client_address

logger = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponse]

UPLOAD_TURNS = Turns(at_once=settings.UPLOADS_AT_ONCE, waiting=8, wait_seconds=30)
PROXY_IS_SILENT = (
    "Refused: X-Forwarded-For is missing, is shorter than TRUSTED_PROXIES says, or holds no "
    "address in its place. See “TLS proxy” in docs/operations.md."
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class PrivateAnswersMiddleware:
    """Keeps every answer out of caches and out of other sites' reach. Static files say themselves
    how long they are kept; by its address alone nothing is taken for one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class TimeZoneMiddleware:
    """Shows times, and reads them in forms, as they are where the browser is: its scripts say so in
    a cookie (static/js/site.js). Without one, or with a name that is none, as in TIME_ZONE."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.names = available_timezones()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.COOKIES.get("time_zone")
        with timezone.override(name if name in self.names else None):
            return self.get_response(request)


class RefusalMiddleware:
    """Says in a page what views refuse alike: the wrong method, doing something too often, and new
    keys for somebody whose rows were altered.

    Stands last, so that the page gets the headers every page gets.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        sentence = _(
            "This page can't be used that way. Nothing was changed. Go back and try again."
        )
        page = refusal(request, 405, "wrong_method", sentence)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotRemembered):
            return not_remembered(request)
        return throttled(request, error.wait_seconds) if isinstance(error, Throttled) else None


class KnownAddressMiddleware:
    """Refuses requests through a proxy that does not say where they come from.

    Any other address would be everybody's: one stranger's tries would keep all others out, and the
    trail would name the proxy. The operator who set up the proxy notices at the first page. Health
    checks come without the proxy.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        behind_a_proxy, health = settings.TRUSTED_PROXIES > 0, ("/healthz", "/readyz")
        if not behind_a_proxy or request.path in health or client_address(request):
            return self.get_response(request)
        logger.error(PROXY_IS_SILENT)
        sentence = _(
            "The proxy in front of this site does not say where your request comes from. Nothing "
            "was done. Ask the people who run this site to set its X-Forwarded-For."
        )
        return refusal(request, 400, "proxy_misconfigured", sentence)


class RequestSizeMiddleware:
    """Refuses a body that is too large before a byte of it is read: only uploads may be large.

    What is larger than a small form is read for nobody but who is unlocked: a thread waits for it.
    So a quarter of the threads at most wait for one person, and three quarters for all people.
    Uploads take turns, from the first byte to the answer: each is held in memory, several times
    while its images are decoded and sealed.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and request.path == reverse("gallery:shared"):
            # Shared by a phone whose service worker did not take it: no byte of it is read.
            return redirect("gallery:shared")
        length = stated_length(request)
        is_upload = request.path == reverse("gallery:upload")
        most = settings.MAX_REQUEST_BYTES if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if length > most:
            template = "gallery/too_much.html" if is_upload else "refusal.html"
            sentence = request_too_large(most)
            return refusal(request, 413, "request_too_large", sentence, template=template)
        if length <= settings.SMALL_BODY_BYTES:
            return self.get_response(request)
        return unlocked(self._read_large)(request)

    def _read_large(self, request: HttpRequest) -> HttpResponse:
        with CLIENT_TURNS.turn():
            if stated_length(request) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                return self.get_response(request)
            with UPLOAD_TURNS.turn():
                return self.get_response(request)


def not_remembered(request: HttpRequest) -> HttpResponse:
    sentence = _(
        "Your stored keys are not the ones that were recorded, so no new ones are made. Nothing "
        "was changed. Tell staff: an operator has to find out why."
    )
    return refusal(request, 409, "keys_not_remembered", sentence)


def request_too_large(most: int) -> str:
    limit = most // settings.MEBIBYTE
    return _(
        "This request is larger than %(limit)s MB. Nothing was uploaded. Send fewer images at once."
    ) % {"limit": limit}


def stated_length(request: HttpRequest) -> int:
    # A body without a length is never read: WSGI hands us at most Content-Length bytes.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
