"""Pages that belong to no app: the landing page, health, preferences and refusals."""

import sys
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.answers import TITLES, refusal, refusal_json, wants_json
from accounts.folding import record_refusal
from accounts.turns import Busy
from audit.context import request_id
from audit.events import AuditUnavailable, Event, Outcome, record
from gallery.storage import StorageAway
from gallery.zero_access.result import newest_result
from imageshare import health
from imageshare.context_processors import THEMES
from imageshare.middleware import request_too_large

OVER_THE_CAP = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
PART_AWAY = (AuditUnavailable, OperationalError, InterfaceError, StorageAway, Busy)
RETRY_AFTER_SECONDS = 10
TOO_BIG = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
ONE_YEAR_SECONDS = 31_536_000


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("gallery:shared-with-me")
    return render(request, "home.html")


@require_safe
def protection(request: HttpRequest) -> HttpResponse:
    return render(request, "protection.html", {"looked_for": newest_result()})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember how pages are shown, in a cookie, and go back to where the person was."""
    chosen = request.POST.get("theme", "system")
    response = redirect(_local_address(request, request.POST.get("next", "")))
    response.set_cookie(
        "theme",
        chosen if chosen in THEMES else "system",
        max_age=ONE_YEAR_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def _local_address(request: HttpRequest, address: str) -> str:
    local = url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    return address if local else "/"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"alive": True})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    parts = health.parts()
    ready = all(parts.values())
    headers = {} if ready else {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return JsonResponse(
        {"ready": ready, "parts": parts}, status=200 if ready else 503, headers=headers
    )


@require_GET
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. Absent until the operator says where to report."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    lines = f"Contact: {settings.SECURITY_CONTACT}\nExpires: {settings.SECURITY_CONTACT_EXPIRES}\n"
    return HttpResponse(lines, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, TooManyFilesSent):
        sentence = _("More than %(count)s images at once. Nothing was uploaded. Send fewer.")
        return refusal(request, 413, "too_many_files", sentence % {"count": settings.MAX_FILES})
    if isinstance(exception, OVER_THE_CAP):
        return refusal(request, 413, "request_too_large", request_too_large(TOO_BIG))
    return refusal(request, 400, "bad_request", _("We could not read this request."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, 403, "not_allowed", _("You are not allowed to do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    record_refusal(request, Event.REQUEST_REFUSED, reason="csrf")
    sentence = _("This page was open too long. Nothing was changed. Reload it and try again.")
    return refusal(request, 403, "csrf", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, 404, "not_found", _("There is nothing for you at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """503 where a part is away for now, 500 where the fault is ours."""
    if isinstance(sys.exc_info()[1], PART_AWAY):
        sentence = _(
            "A part of ImageShare is busy or away. Nothing was lost. Try again in a moment."
        )
        response = _away(request, 503, "busy", sentence)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    with suppress(AuditUnavailable):
        record(Event.REQUEST_FAILED, actor=None, outcome=Outcome.FAILED, error=_error_name())
    sentence = _(
        "Something went wrong on our side. What you saved before is safe. "
        "Go back and try again, or give staff the reference below."
    )
    return _away(request, 500, "failed", sentence)


def _error_name() -> str:
    error = sys.exc_info()[0]
    return error.__name__ if error else "unknown"


def _away(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    """Answer without asking any part of ours: what a page usually shows may be what is away."""
    if wants_json(request):
        return JsonResponse(refusal_json(code, sentence), status=status)
    context = {"title": TITLES[status], "message": sentence, "reference": request_id()}
    return HttpResponse(render_to_string("away.html", context), status=status)
