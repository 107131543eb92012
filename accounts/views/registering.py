"""Making an account: with or without an invite."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms, policy
from accounts.custody import Keyring
from accounts.folding import record_refusal
from accounts.services.people import invites, registration
from accounts.throttle import count
from accounts.views.common import posted, signed_in_answer
from accounts.web.answers import form_refusal, refusal
from audit.context import client_network
from audit.events import Event


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if not policy.everybody_may_register():
        return _registration_closed(request)
    form = forms.RegistrationForm(posted(request))
    if request.method != "POST":
        return render(request, "accounts/register.html", {"form": form})
    count_registration(request)
    cleaned = form.cleaned_data if form.is_valid() else {}
    about = {name: cleaned.get(name, "") for name in ("display_name", "email")}
    register = partial(registration.register, **about)
    return make_account(request, form, "accounts/register.html", {}, register)


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """The page of a one-time link. Looking does not use it up: mail programs open links, too."""
    if not policy.invites_are_taken():
        return _registration_closed(request)
    invited = invites.open_invite(token)
    if invited is None:
        return _no_invite(request)
    form, context = forms.InvitedForm(posted(request), invite=invited), {"invite": invited}
    if request.method != "POST":
        return render(request, "accounts/invite.html", {"form": form, **context})
    count_registration(request)
    register = partial(
        registration.register,
        display_name=invited.display_name,
        email=invited.email,
        invite=invited,
    )
    try:
        return make_account(request, form, "accounts/invite.html", context, register)
    except registration.InviteGone:
        return _no_invite(request)


@sensitive_variables()
def make_account(
    request: HttpRequest,
    form: forms.AccountForm,
    template: str,
    context: dict[str, Any],
    register: Callable[..., Keyring],
) -> HttpResponse:
    """Make the account that a valid form describes, sign the person in, lead to the code.

    `register` is given username, password and language.
    """
    if not form.is_valid():
        return form_refusal(request, form, template, context)
    username, password = form.cleaned_data["username"], form.cleaned_data["password1"]
    try:
        # What they read now is the language of their mails.
        language = get_language() or ""
        keyring = register(username=username, password=password, language=language)
    except ValidationError as error:
        form.add_error("username", error)
        return form_refusal(request, form, template, context)
    return signed_in_answer(request, keyring, reverse("accounts:recovery-code"), status=201)


def count_registration(request: HttpRequest) -> None:
    count("register", client_network(request), limit=settings.REGISTRATIONS_PER_HOUR)


def _registration_closed(request: HttpRequest) -> HttpResponse:
    if policy.people_may_invite():
        sentence = _(
            "You need an invitation to make an account here. Ask somebody who uses this site, or "
            "staff."
        )
    elif policy.invites_are_taken():
        sentence = _("You need an invite to make an account here. Ask staff for one.")
    else:
        sentence = _("This site does not accept new accounts. Sign in if you have one.")
    title = {"title": _("No new accounts here")}
    return refusal(request, 403, "registration_closed", sentence, context=title)


def _no_invite(request: HttpRequest) -> HttpResponse:
    """One answer for a token that never was, and one that is used, ended or taken back."""
    count("invite", client_network(request), limit=settings.REGISTRATIONS_PER_HOUR)
    record_refusal(request, Event.INVITE_REFUSED)
    sentence = _("This invite does not work: it was used, has ended, or was taken back. Ask staff.")
    return refusal(request, 404, "not_found", sentence)
