"""The recovery code: making it, typing it back, and coming back with it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms
from accounts.custody import DoesNotOpen, Keyring, NewCode
from accounts.folding import record_refusal
from accounts.keys.orders import stolen_order_of
from accounts.models import KeySlot, User
from accounts.services.organisation import recovery as organisation_recovery
from accounts.services.ways_back import recovery
from accounts.views.common import (
    begin_session,
    password_is_right,
    posted,
    refuse_sign_in,
    show_code,
    to_replacing,
)
from accounts.web import unlocking
from accounts.web.answers import form_refusal, refusal, wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.guessing import identify
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def recover(request: HttpRequest) -> HttpResponse:
    form = forms.RecoverForm(posted(request))
    if request.method != "POST":
        return render(request, "accounts/recover.html", {"form": form})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/recover.html")
    username, code = form.cleaned_data["username"], form.cleaned_data["recovery_code"]
    user = identify(request, username=username, recovery_code=code)
    if user and stolen_order_of(user):
        return to_replacing(request)
    try:
        if user is None:
            raise DoesNotOpen
        password = form.cleaned_data["new_password1"]
        keyring, new_code = _recover(request, user, code, password)
    except DoesNotOpen:
        refuse_sign_in(request, form, Event.ACCOUNT_RECOVERY_REFUSED)
        return form_refusal(request, form, "accounts/recover.html")
    secret = begin_session(request, keyring)
    return unlocking.remember(show_code(request, new_code, used=True), secret)


@sensitive_variables()
def _recover(request: HttpRequest, user: User, code: str, password: str) -> tuple[Keyring, NewCode]:
    """Recover with the person's own code, or with the one-time code of the organisation's answer.

    Raises DoesNotOpen if it is neither.
    """
    try:
        return recovery.recover(user=user, code=code, new_password=password)
    except DoesNotOpen:
        made = organisation_recovery.recover(user=user, code=code, new_password=password)
    messages.warning(
        request,
        _(
            "Your account was recovered by the organisation that runs this site. You have new "
            "keys; people who compared keys with you are asked to compare again."
        ),
    )
    return made


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def recovery_code(request: PersonRequest) -> HttpResponse:
    if "confirm_1" in request.POST or "confirm_2" in request.POST:
        return _confirm_code(request)
    slot = recovery.recovery_slot_of(request.user)
    # Only somebody who knows the password can replace a code: a stranger at an unlocked screen must
    # not walk away with a way in of their own.
    make_form = forms.UnlockForm(posted(request)) if slot else None
    if request.method != "POST":
        return render(request, "accounts/recovery_code.html", _code_page(slot, make_form))
    if make_form and not password_is_right(request, make_form):
        return form_refusal(
            request, make_form, "accounts/recovery_code.html", _code_page(slot, make_form)
        )
    try:
        new_code = recovery.make_recovery_code(keyring=open_keys(request))
    except DoesNotOpen:
        sentence = _("Your keys were changed elsewhere just now. No code was made. Try again.")
        return refusal(request, 409, "changed_meanwhile", sentence)
    return show_code(request, new_code)


def _code_page(
    slot: KeySlot | None,
    make_form: forms.UnlockForm | None = None,
    form: forms.ConfirmCodeForm | None = None,
) -> dict[str, Any]:
    if form is None and slot is not None and slot.confirmed_at is None:
        form = forms.ConfirmCodeForm(first=slot.confirm_first, second=slot.confirm_second)
    return {
        "slot": slot,
        "form": form,
        "make_form": make_form,
        "needs_password": make_form is not None,
        "confirm_first": slot.confirm_first if slot else None,
        "confirm_second": slot.confirm_second if slot else None,
    }


@sensitive_variables()
def _confirm_code(request: PersonRequest) -> HttpResponse:
    slot = recovery.recovery_slot_of(request.user)
    if slot is None:
        if not wants_json(request):
            return redirect("accounts:recovery-code")
        sentence = _("There is no recovery code yet. Make one first.")
        return refusal(request, 403, "recovery_code_needed", sentence)
    form = forms.ConfirmCodeForm(request.POST, first=slot.confirm_first, second=slot.confirm_second)
    if form.is_valid() and not recovery.confirm_recovery_code(
        keyring=open_keys(request),
        first=form.cleaned_data["confirm_1"],
        second=form.cleaned_data["confirm_2"],
    ):
        sentence = _("These are not the two groups of your newest code. The code still works.")
        form.add_error(None, ValidationError(sentence, code="not_these_groups"))
    if form.errors:
        context = _code_page(slot, form=form)
        return form_refusal(request, form, "accounts/recovery_code.html", context)
    if wants_json(request):
        return JsonResponse({"confirmed": True})
    messages.success(request, _("Your recovery code works. Keep it where only you can find it."))
    return redirect("gallery:shared-with-me")


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def test_code(request: PersonRequest) -> HttpResponse:
    """Say whether a code is the person's, and nothing else. It is not used up."""
    form, template = forms.TestCodeForm(posted(request)), "accounts/test_code.html"
    if request.method != "POST":
        return render(request, template, {"form": form})
    if form.is_valid():
        person, code = request.user, form.cleaned_data["recovery_code"]
        known = identify(request, username=person.username, recovery_code=code)
        if not (known and recovery.is_own_code(person, code)):
            record_refusal(request, Event.RECOVERY_CODE_TESTED, subject=person.pk)
            sentence = _("This is not your recovery code, or not your newest. Nothing was changed.")
            form.add_error("recovery_code", ValidationError(sentence, code="not_your_code"))
    if form.errors:
        return form_refusal(request, form, template)
    recovery.record_working_code(user=request.user)
    if wants_json(request):
        return JsonResponse({"works": True})
    messages.success(request, _("Your recovery code works. It was not used up."))
    return redirect("accounts:security")
