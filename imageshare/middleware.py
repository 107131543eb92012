"""What holds for every answer and every request, whichever app serves it."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.answers import refusal
from accounts.throttle import Throttled, throttled

Next = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class PrivateAnswersMiddleware:
    """Keeps every answer but static files out of caches and out of other sites' reach."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response


class RefusalMiddleware:
    """Says in a page what views refuse alike: the wrong method, and doing something too often.

    Stands last, so that the page gets the headers every page gets.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        sentence = _("This address does something else. Nothing was changed. Go back, try again.")
        page = refusal(request, 405, "wrong_method", sentence)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return throttled(request, error.wait_seconds) if isinstance(error, Throttled) else None


class RequestSizeMiddleware:
    """Refuses a body over MAX_REQUEST_BYTES before a byte of it is read."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _stated_length(request) > settings.MAX_REQUEST_BYTES:
            return refusal(request, 413, "request_too_large", request_too_large())
        return self.get_response(request)


def request_too_large() -> str:
    limit = settings.MAX_REQUEST_BYTES // settings.MEBIBYTE
    return _(
        "This request is larger than %(limit)s MB. Nothing was uploaded. Send fewer images at once."
    ) % {"limit": limit}


def _stated_length(request: HttpRequest) -> int:
    # A body without a length is never read: WSGI hands us at most Content-Length bytes.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
