"""First keys by an operator's one-time code, where the trail does not prove that they are due."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms, throttle
from accounts.custody import Keyring
from accounts.services import first_keys as service
from accounts.services.key_making import make_keys_at_first_sign_in
from accounts.views.common import (
    keys_are_locked,
    password_is_right,
    posted,
    signed_in_answer,
)
from accounts.web.answers import form_refusal
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest

TEMPLATE = "accounts/first_keys.html"


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def first_keys(request: PersonRequest) -> HttpResponse:
    if not service.has_none(request.user):
        return keys_are_locked(request)
    form = forms.FirstKeysForm(posted(request))
    if request.method != "POST":
        return render(request, TEMPLATE, {"form": form})
    keyring = _made(request, form) if password_is_right(request, form) else None
    if keyring is None:
        return form_refusal(request, form, TEMPLATE)
    return signed_in_answer(request, keyring, reverse("accounts:recovery-code"))


@sensitive_variables()
def _made(request: PersonRequest, form: forms.FirstKeysForm) -> Keyring | None:
    user = request.user
    limit, window = settings.SIGN_IN_TRIES, settings.SIGN_IN_WAIT
    throttle.count("proof", str(user.pk), limit=limit, window=window)
    if service.is_code_of(user, form.cleaned_data["code"]):
        password = form.cleaned_data["password"]
        if keyring := make_keys_at_first_sign_in(user=user, password=password):
            return keyring
    else:
        service.record_refused(user)
    sentence = _("This is not your newest one-time code, or its seven days are over. Ask staff.")
    form.add_error("code", ValidationError(sentence, code="not_your_code"))
    return None
