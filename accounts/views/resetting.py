"""A new password by mail. It signs in; it opens no keys."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms
from accounts.mail import sends_mail
from accounts.services.ways_back import resetting
from accounts.throttle import count
from accounts.views.common import posted
from accounts.web.answers import form_refusal, refusal, wants_json
from audit.context import client_network


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_reset(request: HttpRequest) -> HttpResponse:
    """One answer, whether or not there is such a person, and whether or not they have mail."""
    form, template = forms.ResetForm(posted(request)), "accounts/ask_for_reset.html"
    context = {"sends_mail": sends_mail()}
    if request.method != "POST":
        return render(request, template, {"form": form, **context})
    count("reset", client_network(request), limit=settings.SIGN_IN_TRIES)
    if not form.is_valid():
        return form_refusal(request, form, template, context)
    username = form.cleaned_data["username"]
    count("reset-person", username, limit=settings.SIGN_IN_TRIES)
    if sends_mail():
        resetting.send_reset_link(username=username)
    if wants_json(request):
        return JsonResponse({"asked": True}, status=202)
    return render(request, template, {"asked": True, **context})


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, person_id: uuid.UUID, token: str) -> HttpResponse:
    person = resetting.person_of_link(person_id, token)
    if person is None:
        return _link_gone(request)
    form, template = forms.NewPasswordForm(posted(request), user=person), "accounts/reset.html"
    if request.method != "POST":
        return render(request, template, {"form": form})
    if not form.is_valid():
        return form_refusal(request, form, template)
    new_password = form.cleaned_data["new_password1"]
    try:
        resetting.set_password_by_mail(user=person, token=token, new_password=new_password)
    except resetting.LinkGone:
        return _link_gone(request)
    if wants_json(request):
        return JsonResponse({"changed": True})
    messages.success(request, _("The password is set. Sign in with it; then bring your keys back."))
    return redirect("accounts:login")


def _link_gone(request: HttpRequest) -> HttpResponse:
    count("reset", client_network(request), limit=settings.SIGN_IN_TRIES)
    sentence = _("This link no longer works. Nothing was changed. Ask for a new one.")
    return refusal(request, 404, "not_found", sentence)
