"""What holds for every answer and every request, whichever app serves it."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.answers import refusal
from accounts.services.deserving import NotRemembered
from accounts.throttle import Throttled, throttled
from accounts.turns import Turns
from accounts.unlocking import keyring_of

Next = Callable[[HttpRequest], HttpResponse]

UPLOAD_TURNS = Turns(at_once=settings.UPLOADS_AT_ONCE, waiting=8, wait_seconds=30)
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
        sentence = _("This address does something else. Nothing was changed. Go back, try again.")
        page = refusal(request, 405, "wrong_method", sentence)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotRemembered):
            return not_remembered(request)
        return throttled(request, error.wait_seconds) if isinstance(error, Throttled) else None


class RequestSizeMiddleware:
    """Refuses a body that is too large before a byte of it is read: only uploads may be large.

    Those take turns, from the first byte to the answer: each is held in memory, several times
    while its images are decoded and sealed. Nothing is kept of people who are not unlocked
    (gallery/uploads.py), so they wait for nobody and nobody waits for them.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length, fields_alone = _stated_length(request), settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        is_upload = request.path == reverse("gallery:upload")
        most = settings.MAX_REQUEST_BYTES if is_upload else fields_alone
        if length > most:
            return refusal(request, 413, "request_too_large", request_too_large(most))
        if length <= fields_alone or keyring_of(request) is None:
            return self.get_response(request)
        with UPLOAD_TURNS.turn():
            return self.get_response(request)


def not_remembered(request: HttpRequest) -> HttpResponse:
    sentence = _(
        "What is stored of your keys is not what was recorded of them, so no new ones are made. "
        "Nothing was changed. Tell staff: an operator has to find out why."
    )
    return refusal(request, 409, "keys_not_remembered", sentence)


def request_too_large(most: int) -> str:
    limit = most // settings.MEBIBYTE
    return _(
        "This request is larger than %(limit)s MB. Nothing was uploaded. Send fewer images at once."
    ) % {"limit": limit}


def _stated_length(request: HttpRequest) -> int:
    # A body without a length is never read: WSGI hands us at most Content-Length bytes.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
