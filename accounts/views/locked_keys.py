"""Bringing keys back that the current password does not open."""

from contextlib import suppress

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms, throttle
from accounts.custody import DoesNotOpen, Keyring, open_with_password
from accounts.folding import record_refusal
from accounts.keys.orders import stolen_order_of
from accounts.services.first_keys import has_none
from accounts.services.organisation.slots import organisation_recovers
from accounts.services.ways_back import locked_keys as service
from accounts.services.ways_back.new_start import waiting_new_start
from accounts.views.common import (
    CHANGED_ELSEWHERE,
    keep_open,
    posted,
    refuse_password,
    to_replacing,
)
from accounts.web import unlocking
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.guessing import identify
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def locked_keys(request: PersonRequest) -> HttpResponse:
    """What happened, and the ways back: the earlier password, the code, a new start."""
    if not request.session.get(CHANGED_ELSEWHERE):
        return redirect("accounts:unlock")
    if has_none(request.user):
        return redirect("accounts:first-keys")
    form = forms.LockedKeysForm(posted(request))
    stolen = stolen_order_of(request.user) is not None
    context = {
        "new_start": waiting_new_start(request.user),
        "stolen": stolen,
        "organisation_recovers": organisation_recovers(request.user),
    }
    if stolen and request.method == "POST":
        return to_replacing(request)
    if request.method != "POST":
        return render(request, "accounts/locked_keys.html", {"form": form, **context})
    keyring = _brought_back(request, form) if form.is_valid() else None
    if keyring is None:
        return form_refusal(request, form, "accounts/locked_keys.html", context)
    del request.session[CHANGED_ELSEWHERE]
    request.session.cycle_key()
    secret = keep_open(request, keyring)
    if wants_json(request):
        return unlocking.remember(JsonResponse({"unlocked": True}), secret)
    sentence = _("Your keys are back, under your current password. Nothing was lost.")
    messages.success(request, sentence)
    return unlocking.remember(redirect("gallery:shared-with-me"), secret)


@sensitive_variables()
def _brought_back(request: PersonRequest, form: forms.LockedKeysForm) -> Keyring | None:
    password = form.cleaned_data["password"]
    user = identify(request, username=request.user.username, password=password)
    if user is None:
        refuse_password(request, form)
        return None
    with suppress(DoesNotOpen):  # they may have brought them back in another browser meanwhile
        return open_with_password(user, password)
    _count_tries(user.pk)
    try:
        old_password = form.cleaned_data["old_password"]
        keyring = service.bring_back(user=user, old_password=old_password, password=password)
    except DoesNotOpen:
        _refuse(request, form, "old_password")
        return None
    throttle.forget("earlier", str(user.pk))
    return keyring


def _count_tries(user_id: object) -> None:
    """No password hash knows an earlier secret, so its tries are counted here."""
    limit, window = settings.SIGN_IN_TRIES, settings.SIGN_IN_WAIT
    throttle.count("earlier", str(user_id), limit=limit, window=window)


def _refuse(request: PersonRequest, form: BaseForm, field: str) -> None:
    record_refusal(request, Event.KEYS_BROUGHT_BACK, subject=request.user.pk)
    sentence = _("This does not open your earlier keys. Nothing was changed. Try again.")
    form.add_error(field, ValidationError(sentence, code="does_not_open"))


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def earlier_keys(request: PersonRequest) -> HttpResponse:
    """Keys of the time before a new start, for people who find the password or the code after
    all."""
    form = forms.EarlierKeysForm(posted(request))
    context = {"are_there": request.user.earlier_slots.exists()}
    if request.method != "POST":
        return render(request, "accounts/earlier_keys.html", {"form": form, **context})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/earlier_keys.html", context)
    _count_tries(request.user.pk)
    try:
        secret = form.cleaned_data["secret"]
        count = service.bring_back_earlier(keyring=open_keys(request), secret=secret)
    except DoesNotOpen:
        _refuse(request, form, "secret")
        return form_refusal(request, form, "accounts/earlier_keys.html", context)
    if wants_json(request):
        return JsonResponse({"key_pairs": count})
    sentence = ngettext(
        "%(count)s earlier key opens your images again.",
        "%(count)s earlier keys open your images again.",
        count,
    )
    messages.success(request, sentence % {"count": count})
    return redirect("gallery:shared-with-me")
