"""Signing in and out, locking and unlocking."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import forms
from accounts.custody import DoesNotOpen, Keyring, open_with_password
from accounts.keys.orders import stolen_order_of
from accounts.keys.remembered import standing_of
from accounts.models import User
from accounts.services import first_keys, key_making
from accounts.services.deserving import opens_replaced_keys_alone
from accounts.services.ways_back.costs import raise_cost
from accounts.views.common import (
    CHANGED_ELSEWHERE,
    keys_are_locked,
    log_in,
    next_address,
    posted,
    refuse_password,
    refuse_sign_in,
    signed_in_answer,
    to_replacing,
)
from accounts.views.common import keep_open as unlock_browser
from accounts.web import unlocking
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.guessing import identify
from accounts.web.requests import PersonRequest
from audit.events import Event, record


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    form = forms.SignInForm(posted(request))
    context = {"next": next_address(request)}
    if request.method != "POST":
        return render(request, "accounts/login.html", {"form": form, **context})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/login.html", context)
    user = identify(request, **form.cleaned_data)
    if user is None:
        refuse_sign_in(request, form, Event.ACCOUNT_SIGN_IN_REFUSED)
        return form_refusal(request, form, "accounts/login.html", context)
    password = form.cleaned_data["password"]
    keyring = _keyring_at_sign_in(user, password)
    if keyring is None:
        return _signed_in_locked(request, user)
    if stolen_order_of(user) or standing_of(user.pk).open_theft:
        return to_replacing(request)
    raise_cost(keyring, password)
    return signed_in_answer(request, keyring, context["next"])


@sensitive_variables()
def _keyring_at_sign_in(user: User, password: str) -> Keyring | None:
    """Return the person's keys: opened, or made now if the account came without any."""
    if first_keys.has_none(user):
        if not first_keys.are_proven_due(user):
            first_keys.record_refused(user)
            return None
        keyring = key_making.make_keys_at_first_sign_in(user=user, password=password)
        if keyring:
            return keyring
    return _open(user, password)


@sensitive_variables()
def _open(user: User, password: str) -> Keyring | None:
    """Return the keys that a password opens, unless these are stolen ones that were replaced."""
    try:
        keyring = open_with_password(user, password)
    except DoesNotOpen:
        return None
    return None if opens_replaced_keys_alone(keyring, standing_of(user.pk)) else keyring


def _signed_in_locked(request: HttpRequest, user: User) -> HttpResponse:
    """The password is right, but opens nothing: it was set elsewhere, or there is nothing to open
    and nothing that proves there never was."""
    log_in(request, user)
    request.session[CHANGED_ELSEWHERE] = True
    address = reverse("accounts:first-keys")
    if not first_keys.has_none(user):
        record(Event.KEYS_FOUND_LOCKED, actor=user.pk, subject=user.pk)
        address = reverse("accounts:locked-keys")
    if wants_json(request):
        return JsonResponse({"username": user.username, "unlocked": False, "next": address})
    return redirect(address)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        unlocking.lock(request)
        record(Event.ACCOUNT_SIGNED_OUT, actor=request.user.pk, subject=request.user.pk)
        logout(request)
    answer = JsonResponse({"signed_out": True}) if wants_json(request) else redirect("home")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return unlocking.forget(answer)


@require_POST
@signed_in
def lock(request: PersonRequest) -> HttpResponse:
    unlocking.lock(request)
    if wants_json(request):
        return unlocking.forget(JsonResponse({"unlocked": False}))
    return unlocking.forget(redirect("gallery:shared-with-me"))


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def unlock(request: PersonRequest) -> HttpResponse:
    if request.session.get(CHANGED_ELSEWHERE):
        return keys_are_locked(request)
    form = forms.UnlockForm(posted(request))
    context = {"next": next_address(request)}
    if request.method != "POST":
        return render(request, "accounts/unlock.html", {"form": form, **context})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/unlock.html", context)
    password = form.cleaned_data["password"]
    known = identify(request, username=request.user.username, password=password)
    is_proven = known is not None and not standing_of(request.user.pk).open_theft
    keyring = _open(request.user, password) if is_proven else None
    if keyring is None:
        refuse_password(request, form)
        return form_refusal(request, form, "accounts/unlock.html", context)
    raise_cost(keyring, password)
    request.session.cycle_key()
    secret = unlock_browser(request, keyring)
    if wants_json(request):
        return unlocking.remember(JsonResponse({"unlocked": True, "next": context["next"]}), secret)
    return unlocking.remember(redirect(context["next"]), secret)
