"""Your own password and the page about your keys."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts import forms
from accounts.custody import DoesNotOpen, Keyring
from accounts.keys.names import certified_name
from accounts.keys.recoverability import recoverability_of
from accounts.keys.timeline import key_timeline
from accounts.models import WrappedKeyCheck
from accounts.services.rotating.mending import own_wrapped_keys
from accounts.services.ways_back import passwords, recovery
from accounts.views.common import CHANGED_ELSEWHERE, begin_session, posted
from accounts.web import unlocking
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.guessing import identify
from accounts.web.requests import PersonRequest


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def password(request: PersonRequest) -> HttpResponse:
    form = forms.PasswordForm(posted(request), user=request.user)
    if request.method != "POST":
        return render(request, "accounts/password.html", {"form": form})
    keyring = _change_password(request, form) if form.is_valid() else None
    if keyring is None:
        return form_refusal(request, form, "accounts/password.html")
    secret = begin_session(request, keyring)
    if wants_json(request):
        return unlocking.remember(JsonResponse({"changed": True}), secret)
    messages.success(request, _("Your password is changed. You are signed out everywhere else."))
    return unlocking.remember(redirect("accounts:security"), secret)


@sensitive_variables()
def _change_password(request: PersonRequest, form: forms.PasswordForm) -> Keyring | None:
    old, new = form.cleaned_data["old_password"], form.cleaned_data["new_password1"]
    user = identify(request, username=request.user.username, password=old)
    try:
        if user is None:
            raise DoesNotOpen
        return passwords.change_password(user=user, old_password=old, new_password=new)
    except DoesNotOpen:
        sentence = _("This is not your current password. Nothing was changed.")
        form.add_error("old_password", ValidationError(sentence, code="invalid_password"))
        return None


@require_safe
@signed_in
def security(request: PersonRequest) -> HttpResponse:
    password_opens = not request.session.get(CHANGED_ELSEWHERE)
    context = {
        "name": certified_name(request.user),
        "key_pairs": request.user.key_pairs.order_by("purpose", "-epoch"),
        "slot": recovery.recovery_slot_of(request.user),
        "unlocks": request.user.custody.order_by("-created_at"),
        "current_unlock": request.session.get(unlocking.SESSION_ENTRY),
        "recoverability": recoverability_of(request.user, password_opens=password_opens),
        "timeline": key_timeline(request.user),
        "has_earlier_keys": request.user.earlier_slots.exists(),
        "wrapped_keys": own_wrapped_keys(request.user).count(),
        "check": WrappedKeyCheck.objects.filter(user=request.user).first(),
        "mac_key": request.user.mac_keys.order_by("-epoch").first(),
    }
    return render(request, "accounts/security.html", context)
