"""Pages that belong to no app: the landing page, health, preferences and refusals."""

import sys
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.folding import record_refusal
from accounts.models import User
from accounts.views.common import next_address
from accounts.web.answers import TITLES, refusal, refusal_json, wants_json
from accounts.web.choices import remember_choice
from accounts.web.requests import is_our_address
from audit.context import request_id
from audit.events import AuditUnavailable, Event, Outcome, record
from gallery.errors import PART_AWAY
from gallery.zero_access.result import newest_result
from imageshare import health
from imageshare.context_processors import THEMES
from imageshare.middleware import request_too_large
from imageshare.unlockkeys import UnlockKeysAway

OVER_THE_CAP = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
RETRY_AFTER_SECONDS = 10
TOO_BIG = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


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
    answer = redirect(_local_address(request, request.POST.get("next", "")))
    remember_choice(answer, "theme", chosen if chosen in THEMES else "system")
    return answer


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of this browser's pages and of the person's mails, and go back."""
    chosen = request.POST.get("language", "")
    answer = redirect(_local_address(request, request.POST.get("next", "")))
    if chosen in dict(settings.LANGUAGES):
        remember_choice(answer, settings.LANGUAGE_COOKIE_NAME, chosen)
        if isinstance(request.user, User):
            User.objects.filter(pk=request.user.pk).update(language=chosen)
    return answer


def _local_address(request: HttpRequest, address: str) -> str:
    return address if is_our_address(request, address) else "/"


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
        sentence %= {"count": settings.MAX_FILES}
        return refusal(request, 413, "too_many_files", sentence, template="gallery/too_much.html")
    if isinstance(exception, OVER_THE_CAP):
        return refusal(request, 413, "request_too_large", request_too_large(TOO_BIG))
    return refusal(request, 400, "bad_request", _("We could not read this request."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, 403, "not_allowed", _("You are not allowed to do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    record_refusal(request, Event.REQUEST_REFUSED, reason="csrf")
    if request.user.is_authenticated and request.path == reverse("accounts:login"):
        sentence = _("You signed in in another tab meanwhile. Nothing was changed.")
        return _stale(request, sentence, _("Go on"), next_address(request))
    if reason == REASON_NO_CSRF_COOKIE:
        sentence = _(
            "Your browser sent no cookie with this form. Nothing was changed. Allow cookies for "
            "this site, then open the page again."
        )
    else:
        sentence = _(
            "Since you opened this page somebody signed in or out in this browser, so the form "
            "is out of date. Nothing was changed. Open the page again and fill it in once more."
        )
    return _stale(request, sentence, _("Open the page again"), _page_before(request))


def _stale(request: HttpRequest, sentence: str, label: str, address: str) -> HttpResponse:
    context = {"label": label, "address": address}
    return refusal(request, 403, "csrf", sentence, template="stale_form.html", context=context)


def _page_before(request: HttpRequest) -> str:
    """Return our page that sent this form; many forms go to addresses without a page."""
    page = _local_address(request, request.headers.get("Referer", ""))
    if urlsplit(page).path != request.path or "next" not in request.POST:
        return page
    # The form knew where to go on; its page may have been opened without.
    return f"{request.path}?{urlencode({'next': next_address(request)})}"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, 404, "not_found", _("There is nothing for you at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """503 if a part is unavailable for now, 500 if the fault is ours."""
    if isinstance(sys.exc_info()[1], (*PART_AWAY, UnlockKeysAway)):
        sentence = _(
            "A part of ImageShare is busy or unavailable. Nothing was lost. Try again in a moment."
        )
        response = _away(request, 503, "busy", sentence)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    error = sys.exc_info()[0]
    with suppress(AuditUnavailable):
        name = error.__name__ if error else "unknown"
        record(Event.REQUEST_FAILED, actor=None, outcome=Outcome.FAILED, error=name)
    sentence = _(
        "Something went wrong on our side. What you saved before is safe. "
        "Go back and try again, or give staff the reference below."
    )
    return _away(request, 500, "failed", sentence)


def _away(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    """Answer without using any other part: what a page usually shows may be what is unavailable."""
    if wants_json(request):
        return JsonResponse(refusal_json(code, sentence), status=status)
    context = {"title": TITLES[status], "message": sentence, "reference": request_id()}
    return HttpResponse(render_to_string("away.html", context), status=status)
