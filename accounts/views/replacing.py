"""Keys that may be known to somebody else: proving who you are, and replacing them all."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import forms
from accounts.custody import (
    DoesNotOpen,
    OpeningKeys,
    open_with_answer,
    open_with_password,
    open_with_recovery_code,
)
from accounts.keys.orders import stolen_order_of
from accounts.models import User
from accounts.services.rotating import replacing
from accounts.throttle import count
from accounts.views.common import (
    begin_session,
    posted,
    refuse_sign_in,
    show_code,
)
from accounts.web import unlocking
from accounts.web.answers import form_refusal
from accounts.web.guessing import identify
from audit.events import Event

TEMPLATE = "accounts/replace_keys.html"


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def replace_keys(request: HttpRequest) -> HttpResponse:
    form = forms.ReplaceKeysForm(posted(request))
    if request.method != "POST":
        return render(request, TEMPLATE, {"form": form})
    if not form.is_valid():
        return form_refusal(request, form, TEMPLATE)
    try:
        keyring, new_code = replacing.replace_keys(
            stolen=_proven(request, form), new_password=form.cleaned_data["new_password1"]
        )
    except DoesNotOpen:
        refuse_sign_in(request, form, Event.ACCOUNT_RECOVERY_REFUSED)
        return form_refusal(request, form, TEMPLATE)
    secret = begin_session(request, keyring)
    return unlocking.remember(show_code(request, new_code, used=True), secret)


@sensitive_variables()
def _proven(request: HttpRequest, form: forms.ReplaceKeysForm) -> OpeningKeys:
    """Return the open keys of a person who proved who they are. Raises DoesNotOpen, the same for
    every cause."""
    username, code = form.cleaned_data["username"], form.cleaned_data["code"]
    user = identify(request, username=username, recovery_code=code)
    if user is None:
        # An operator's code? It comes first: without it nobody learns whether a password opens
        # anything.
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None or not replacing.is_operators_code(user, code):
            raise DoesNotOpen
        # The password that opens the keys, not the one that signs in: after a reset by mail these
        # are two. Tries by somebody who has the code are counted here.
        count("proof", str(user.pk), limit=settings.SIGN_IN_TRIES, window=settings.SIGN_IN_WAIT)
        return open_with_password(user, form.cleaned_data["password"])
    if stolen_order_of(user) is None:
        raise DoesNotOpen
    try:  # the person's own code, or the one-time code of the organisation's answer
        return open_with_recovery_code(replacing.known_recovery_slot(user), code)
    except DoesNotOpen:
        return open_with_answer(replacing.known_answer_slot(user), code)
