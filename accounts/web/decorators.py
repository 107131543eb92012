"""What a view may ask of the person: signed in, unlocked, able to come back."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.services.ways_back.recovery import recovery_slot_of
from accounts.web.answers import refusal, wants_json
from accounts.web.requests import PersonRequest, is_our_address
from accounts.web.unlocking import keyring_of

View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Signed out: 302 to the sign-in page, or 401 `signed_out` for JSON."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_json(request):
            return refusal(request, 401, "signed_out", _("Sign in first."))
        return redirect_to_login(_where_to_return(request))

    return guarded


def unlocked(view: View) -> View:
    """Locked: 302 to the unlock page, or 401 `locked` for JSON."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if keyring_of(request):
            return view(request, *args, **kwargs)
        if wants_json(request):
            return locked(request)
        if request.method == "POST":
            sentence = _(
                "Your keys were locked meanwhile, so nothing was done. Unlock them and try again."
            )
            messages.warning(request, sentence)
        address = urlencode({"next": _where_to_return(request)})
        return redirect(f"{reverse('accounts:unlock')}?{address}")

    return signed_in(guarded)


def unlocked_for_bytes(view: View) -> View:
    """Locked: 401 `locked` whatever was asked for; a page in place of an image helps nobody."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if keyring_of(request) else locked(request)

    # accounts/web/middleware.py keeps these addresses quick; `wraps` hands the mark on.
    vars(guarded)["serves_bytes"] = True
    return signed_in(guarded)


def recoverable(view: View) -> View:
    """Without a recovery code nobody makes an image, album or team: only its owner's keys open it,
    and a forgotten password would lose it for good."""

    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if recovery_slot_of(request.user):
            return view(request, *args, **kwargs)
        if wants_json(request):
            sentence = _("Make your recovery code first. Nothing was stored.")
            return refusal(request, 403, "recovery_code_needed", sentence)
        return redirect("accounts:recovery-code")

    return unlocked(guarded)


def locked(request: HttpRequest) -> HttpResponse:
    return refusal(request, 401, "locked", _("Unlock first."))


def _where_to_return(request: HttpRequest) -> str:
    """Return the address to lead back to: of a post, the page that has its form.

    Browsers name it, since our Referrer-Policy is same-origin.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page: str = request.META.get("HTTP_REFERER", "")
    if is_our_address(request, page):
        return urlsplit(page)._replace(scheme="", netloc="").geturl()
    return "/"
