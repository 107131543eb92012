"""The page that the link of an invitation leads to: an account is made, or a claim."""

from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import throttle
from accounts.folding import record_refusal
from accounts.keys.names import certified_name
from accounts.views.common import posted
from accounts.views.registering import count_registration, make_account
from accounts.web.answers import form_refusal, refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from audit.context import client_network
from audit.events import Event
from gallery.answers import answers_refusals
from gallery.errors import Altered, InvitationGone, WrongCode
from gallery.invitation_forms import AcceptForm, CodeForm
from gallery.services.invitations import accepting, claiming, links
from gallery.services.invitations.links import Link

PAGE = "gallery/invitation.html"


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@answers_refusals
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Looking does not use a link up: mail programs open links, too."""
    try:
        link = links.follow(token)
        form = _accept_form(request, link)
        if request.method != "POST":
            return render(request, PAGE, _page(link, token, form))
        count_registration(request)
        return _accept(request, link, token, form)
    except InvitationGone:
        return _no_invitation(request)


@sensitive_variables()
def _accept_form(request: HttpRequest, link: Link) -> AcceptForm:
    """Return the form, with the name that the inviter wrote, if the link alone opens it."""
    initial = {}
    if not link.needs_code:
        with suppress(Altered):
            initial["display_name"] = links.key_by_link(link, "").details().display_name
    return AcceptForm(posted(request), needs_code=link.needs_code, initial=initial)


@sensitive_variables()
def _accept(request: HttpRequest, link: Link, token: str, form: AcceptForm) -> HttpResponse:
    page = _page(link, token, form)
    if not form.is_valid():
        return form_refusal(request, form, PAGE, page)
    try:
        key = links.key_by_link(link, form.code)
    except WrongCode:
        _refuse_code(request, link, form)
        return form_refusal(request, form, PAGE, page)
    about = {name: form.cleaned_data[name] for name in ("display_name", "email")}
    accept = partial(accepting.accept, key=key, **about)
    return make_account(request, form, PAGE, page, accept)


@sensitive_post_parameters()
@sensitive_variables()
@require_POST
@signed_in
@answers_refusals
def claim(request: PersonRequest, token: str) -> HttpResponse:
    """Somebody who has an account already says so; its inviter decides."""
    count_registration(request)
    try:
        link = links.follow(token)
        form = CodeForm(request.POST, needs_code=link.needs_code)
        page = {**_page(link, token, None), "claim_form": form}
        if not form.is_valid():
            return form_refusal(request, form, PAGE, page)
        try:
            claiming.claim(key=links.key_by_link(link, form.code), person=request.user)
        except WrongCode:
            _refuse_code(request, link, form)
            return form_refusal(request, form, PAGE, page)
        except ValidationError as error:
            return refusal(request, 409, error.code or "", str(error.message))
    except InvitationGone:
        return _no_invitation(request)
    inviter = certified_name(link.invitation.inviter)
    if wants_json(request):
        return JsonResponse({"claimed": True, "inviter": inviter.username}, status=202)
    sentence = _(
        "%(inviter)s is asked whether this is for you. Once they agree, it is here, under “Shared "
        "with me”."
    )
    messages.success(request, sentence % {"inviter": inviter.display_name})
    return redirect("gallery:shared-with-me")


def _page(link: Link, token: str, form: AcceptForm | None) -> dict[str, Any]:
    return {
        "form": form,
        "token": token,
        "needs_code": link.needs_code,
        "inviter": certified_name(link.invitation.inviter),
        "ends_at": link.recorded.ends_at,
    }


def _refuse_code(request: HttpRequest, link: Link, form: CodeForm) -> None:
    facts = {"reason": "code"}
    record_refusal(request, Event.INVITATION_REFUSED, subject=link.invitation.pk, **facts)
    form.refuse_code()


def _no_invitation(request: HttpRequest) -> HttpResponse:
    """One answer for a token that never was, and one that is used, ended or taken back."""
    network, limit = client_network(request), settings.REGISTRATIONS_PER_HOUR
    throttle.count("invite", network, limit=limit)
    record_refusal(request, Event.INVITATION_REFUSED)
    sentence = _(
        "This invitation does not work: it was used, has ended, or was taken back. Ask the person "
        "who sent it for another."
    )
    return refusal(request, 404, "not_found", sentence)
