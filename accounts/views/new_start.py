"""A new start: asking for it, stopping it, and, when it is due, making the new keys."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms
from accounts.custody import DoesNotOpen, open_with_password
from accounts.models import NewStart, User, WrappedKey
from accounts.services.ways_back import new_start as service
from accounts.views.common import (
    CHANGED_ELSEWHERE,
    begin_session,
    password_is_right,
    posted,
    show_code,
)
from accounts.web import unlocking
from accounts.web.answers import form_refusal, refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest

TEMPLATE = "accounts/new_start.html"


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_start(request: PersonRequest) -> HttpResponse:
    if request.method == "POST" and "stop" in request.POST:
        return _stop(request)
    waiting = service.waiting_new_start(request.user)
    if not (waiting or request.session.get(CHANGED_ELSEWHERE)):
        return _not_needed(request)
    form, context = forms.UnlockForm(posted(request)), _page(request.user, waiting)
    if request.method != "POST":
        return render(request, TEMPLATE, {"form": form, **context})
    if not request.session.get(CHANGED_ELSEWHERE):
        return _not_needed(request)
    if not password_is_right(request, form):
        return form_refusal(request, form, TEMPLATE, context)
    password = form.cleaned_data["password"]
    with suppress(DoesNotOpen):  # they may have brought their keys back in another browser
        open_with_password(request.user, password)
        del request.session[CHANGED_ELSEWHERE]
        return _not_needed(request)
    if context["is_due"]:
        return _start_anew(request, password)
    asked = service.ask_for_new_start(user=request.user)
    if wants_json(request):
        return JsonResponse({"due_at": asked.due_at}, status=202)
    return redirect("accounts:new-start")


def _page(user: User, waiting: NewStart | None) -> dict[str, Any]:
    return {
        "new_start": waiting,
        "is_due": waiting is not None and waiting.due_at <= timezone.now(),
        "wait_hours": round(settings.NEW_START_WAIT / timedelta(hours=1)),
        "closing": WrappedKey.objects.filter(
            key_pair__user=user, key_pair__master_key_version=user.master_key_version
        ).count(),
    }


def _not_needed(request: PersonRequest) -> HttpResponse:
    """Somebody who can open their keys, or uses a screen that can, gets no new ones."""
    sentence = _("Your password opens your keys. You do not need a new start.")
    return refusal(request, 409, "not_needed", sentence)


def _stop(request: PersonRequest) -> HttpResponse:
    stopped = service.stop_new_start(user=request.user)
    if wants_json(request):
        return JsonResponse({"stopped": stopped})
    messages.success(request, _("The new start is stopped. Your keys stay as they are."))
    return redirect("accounts:security")


@sensitive_variables()
def _start_anew(request: PersonRequest, password: str) -> HttpResponse:
    try:
        new = service.start_anew(user=request.user, password=password)
    except (service.NotDue, DoesNotOpen):
        sentence = _(
            "Your account was changed elsewhere just now. Nothing was done here. Try again in a "
            "moment."
        )
        return refusal(request, 409, "changed_meanwhile", sentence)
    secret = begin_session(request, new.keyring)
    return unlocking.remember(show_code(request, new.new_code, started_anew=True), secret)
