"""Pages of an account: bind, call, answer."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import forms, policy, unlocking
from accounts.answers import form_refusal, refusal, wants_json
from accounts.custody import DoesNotOpen, Keyring, open_with_password
from accounts.decorators import signed_in, unlocked
from accounts.guessing import identify, know_browser
from accounts.models import User
from accounts.services import invites, key_making, passwords, recovery, registration
from accounts.throttle import count, forget, network_of
from audit.events import Event, Outcome, record

# Session entry: the password was changed elsewhere, so it signs in and opens nothing.
CHANGED_ELSEWHERE = "changed_elsewhere"


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if not policy.everybody_may_register():
        return _registration_closed(request)
    form = forms.RegistrationForm(posted(request))
    if request.method != "POST":
        return render(request, "accounts/register.html", {"form": form})
    _count_registration(request)
    cleaned = form.cleaned_data if form.is_valid() else {}
    about = {name: cleaned.get(name, "") for name in ("display_name", "email")}
    return _make_account(request, form, "accounts/register.html", {}, **about)


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
    _count_registration(request)
    about = {"display_name": invited.display_name, "email": invited.email, "invite": invited}
    try:
        return _make_account(request, form, "accounts/invite.html", context, **about)
    except registration.InviteGone:
        return _no_invite(request)


@sensitive_variables()
def _make_account(
    request: HttpRequest,
    form: forms.AccountForm,
    template: str,
    context: dict[str, Any],
    **about: Any,
) -> HttpResponse:
    """Make the account that a valid form describes, sign its person in, lead to the code."""
    if not form.is_valid():
        return form_refusal(request, form, template, context)
    username, password = form.cleaned_data["username"], form.cleaned_data["password1"]
    try:
        keyring = registration.register(username=username, password=password, **about)
    except ValidationError as error:
        form.add_error("username", error)
        return form_refusal(request, form, template, context)
    return _signed_in(request, keyring, reverse("accounts:recovery-code"), status=201)


def _count_registration(request: HttpRequest) -> None:
    count("register", network_of(request), limit=settings.REGISTRATIONS_PER_HOUR)


def _registration_closed(request: HttpRequest) -> HttpResponse:
    if policy.invites_are_taken():
        sentence = _("Accounts are made by invitation here. Ask staff for an invite.")
    else:
        sentence = _("This site takes no new accounts. Sign in if you have one.")
    title = {"title": _("No new accounts here")}
    return refusal(request, 403, "registration_closed", sentence, context=title)


def _no_invite(request: HttpRequest) -> HttpResponse:
    """One answer for a token that never was, and one that is used, ended or taken back."""
    count("invite", network_of(request), limit=settings.REGISTRATIONS_PER_HOUR)
    record(Event.INVITE_REFUSED, actor=request.user.pk, outcome=Outcome.REFUSED)
    sentence = _("This invite is not open: it was used, has ended, or was taken back. Ask staff.")
    return refusal(request, 404, "not_found", sentence)


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    form = forms.SignInForm(posted(request))
    context = {"next": _next(request)}
    if request.method != "POST":
        return render(request, "accounts/login.html", {"form": form, **context})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/login.html", context)
    user = identify(request, **form.cleaned_data)
    if user is None:
        _refused(request, form, Event.ACCOUNT_SIGN_IN_REFUSED)
        return form_refusal(request, form, "accounts/login.html", context)
    keyring = _keyring_at_sign_in(user, form.cleaned_data["password"])
    if keyring is None:
        return _signed_in_locked(request, user)
    return _signed_in(request, keyring, context["next"])


@sensitive_variables()
def _keyring_at_sign_in(user: User, password: str) -> Keyring | None:
    """Return the person's keys: opened, or made now if the account came without any."""
    if key_making.never_had_keys(user):
        keyring = key_making.make_keys_at_first_sign_in(user=user, password=password)
        if keyring:
            return keyring
    try:
        return open_with_password(user, password)
    except DoesNotOpen:
        return None


def _refused(request: HttpRequest, form: Any, event: Event) -> None:
    """One sentence for an unknown name and a wrong password alike."""
    username = form.cleaned_data.get("username", "")
    known = User.objects.filter(username=username).values_list("pk", flat=True).first()
    record(event, actor=request.user.pk, subject=known, outcome=Outcome.REFUSED)
    sentence = _("These do not belong together. Nothing was changed. Check both and try again.")
    form.add_error(None, ValidationError(sentence, code="invalid_login"))


@sensitive_variables()
def _signed_in(
    request: HttpRequest, keyring: Keyring, address: str, status: int = 200
) -> HttpResponse:
    """Sign the keyring's person in, unlocked, and send them on."""
    secret = _begin_session(request, keyring)
    facts = {"username": keyring.user.username, "unlocked": True, "next": address}
    answer = JsonResponse(facts, status=status) if wants_json(request) else redirect(address)
    return know_browser(unlocking.remember(answer, secret), keyring.user.username)


@sensitive_variables()
def _begin_session(request: HttpRequest, keyring: Keyring) -> bytes:
    """Begin a session with a new id and an absolute end; return the secret for its cookie."""
    _log_in(request, keyring.user)
    return unlocking.unlock(request, keyring)


def _log_in(request: HttpRequest, user: User) -> None:
    unlocking.drop(request)  # somebody else's keys, if they were open in this browser
    login(request, user, backend="accounts.backends.PasswordBackend")
    request.session.set_expiry(timezone.now() + settings.SIGN_OUT_AFTER)
    record(Event.ACCOUNT_SIGNED_IN, actor=user.pk, subject=user.pk)


def _signed_in_locked(request: HttpRequest, user: User) -> HttpResponse:
    """The password is right, but was set elsewhere: it signs in and opens nothing."""
    _log_in(request, user)
    request.session[CHANGED_ELSEWHERE] = True
    address = reverse("accounts:unlock")
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
def lock(request: HttpRequest) -> HttpResponse:
    unlocking.lock(request)
    if wants_json(request):
        return unlocking.forget(JsonResponse({"unlocked": False}))
    return unlocking.forget(redirect("gallery:shared-with-me"))


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def unlock(request: HttpRequest) -> HttpResponse:
    form = forms.UnlockForm(posted(request))
    foreign = request.session.get(CHANGED_ELSEWHERE, False)
    context = {"next": _next(request), "foreign_change": foreign}
    if request.method != "POST":
        return render(request, "accounts/unlock.html", {"form": form, **context})
    if not form.is_valid():
        return form_refusal(request, form, "accounts/unlock.html", context)
    keyring = _keyring_at_unlock(request, form.cleaned_data["password"], foreign=foreign)
    if keyring is None:
        _refused_unlock(request, form)
        return form_refusal(request, form, "accounts/unlock.html", context)
    request.session.cycle_key()
    secret = unlocking.unlock(request, keyring)
    if wants_json(request):
        return unlocking.remember(JsonResponse({"unlocked": True, "next": context["next"]}), secret)
    return unlocking.remember(redirect(context["next"]), secret)


@sensitive_variables()
def _keyring_at_unlock(request: HttpRequest, password: str, *, foreign: bool) -> Keyring | None:
    """Return the open keys; after a foreign change the password from before it opens them."""
    if not foreign and identify(request, username=request.user.username, password=password) is None:
        return None
    open_keys = _open_as_before if foreign else open_with_password
    try:
        return open_keys(request.user, password)
    except DoesNotOpen:
        return None


@sensitive_variables()
def _open_as_before(user: User, password: str) -> Keyring:
    """Open with the password from before; its tries are counted here, for no hash knows it."""
    count("unlock", str(user.pk), limit=settings.SIGN_IN_TRIES, window=settings.SIGN_IN_WAIT)
    keyring = open_with_password(user, password)
    forget("unlock", str(user.pk))
    return keyring


def _refused_unlock(request: HttpRequest, form: forms.UnlockForm) -> None:
    person = request.user.pk
    record(Event.ACCOUNT_UNLOCK_REFUSED, actor=person, subject=person, outcome=Outcome.REFUSED)
    sentence = _("This password does not open your keys. Nothing was changed. Try again.")
    form.add_error("password", ValidationError(sentence, code="invalid_password"))


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
    try:
        if user is None:
            raise DoesNotOpen
        password = form.cleaned_data["new_password1"]
        keyring, new_code = recovery.recover(user=user, code=code, new_password=password)
    except DoesNotOpen:
        _refused(request, form, Event.ACCOUNT_RECOVERY_REFUSED)
        return form_refusal(request, form, "accounts/recover.html")
    secret = _begin_session(request, keyring)
    return unlocking.remember(_show_code(request, new_code, used=True), secret)


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def recovery_code(request: HttpRequest) -> HttpResponse:
    if "confirm_1" in request.POST or "confirm_2" in request.POST:
        return _confirm_code(request)
    slot = recovery.recovery_slot_of(request.user)
    confirmed = slot is not None and slot.confirmed_at is not None
    # A confirmed code is replaced only by somebody who knows the password: whoever finds the
    # screen unlocked must not walk away with a way in of their own.
    make_form = forms.UnlockForm(posted(request)) if confirmed else None
    if request.method != "POST":
        return render(request, "accounts/recovery_code.html", _code_page(slot, make_form))
    if make_form and not _password_is_right(request, make_form):
        return form_refusal(
            request, make_form, "accounts/recovery_code.html", _code_page(slot, make_form)
        )
    return _show_code(request, recovery.make_recovery_code(keyring=unlocking.keyring_of(request)))


@sensitive_variables()
def _password_is_right(request: HttpRequest, form: forms.UnlockForm) -> bool:
    if not form.is_valid():
        return False
    password = form.cleaned_data["password"]
    if identify(request, username=request.user.username, password=password):
        return True
    _refused_unlock(request, form)
    return False


def _code_page(slot: Any, make_form: Any = None, form: Any = None) -> dict[str, Any]:
    waiting = slot is not None and slot.confirmed_at is None
    if form is None and waiting:
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
def _show_code(
    request: HttpRequest, new_code: recovery.NewCode, *, used: bool = False
) -> HttpResponse:
    """Show a new code, this once."""
    first, second = new_code.confirm_first, new_code.confirm_second
    if wants_json(request):
        shown = "-".join(new_code.groups)
        return JsonResponse({"recovery_code": shown, "confirm": [first, second]})
    context = {
        "groups": new_code.groups,
        "confirm_first": first,
        "confirm_second": second,
        "form": forms.ConfirmCodeForm(first=first, second=second),
        "used": used,
    }
    return render(request, "accounts/recovery_code.html", context)


@sensitive_variables()
def _confirm_code(request: HttpRequest) -> HttpResponse:
    slot = recovery.recovery_slot_of(request.user)
    if slot is None:
        return _no_code(request)
    form = forms.ConfirmCodeForm(request.POST, first=slot.confirm_first, second=slot.confirm_second)
    if form.is_valid() and not recovery.confirm_recovery_code(
        keyring=unlocking.keyring_of(request),
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
    messages.success(request, _("Your recovery code works. Keep it where only you find it."))
    return redirect("gallery:shared-with-me")


def _no_code(request: HttpRequest) -> HttpResponse:
    if not wants_json(request):
        return redirect("accounts:recovery-code")
    sentence = _("There is no recovery code yet. Make one first.")
    return refusal(request, 403, "recovery_code_needed", sentence)


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def password(request: HttpRequest) -> HttpResponse:
    form = forms.PasswordForm(posted(request), user=request.user)
    if request.method != "POST":
        return render(request, "accounts/password.html", {"form": form})
    keyring = _change_password(request, form) if form.is_valid() else None
    if keyring is None:
        return form_refusal(request, form, "accounts/password.html")
    secret = _begin_session(request, keyring)
    if wants_json(request):
        return unlocking.remember(JsonResponse({"changed": True}), secret)
    messages.success(request, _("Your password is changed. Other sessions were signed out."))
    return unlocking.remember(redirect("accounts:security"), secret)


@sensitive_variables()
def _change_password(request: HttpRequest, form: forms.PasswordForm) -> Keyring | None:
    old, new = form.cleaned_data["old_password"], form.cleaned_data["new_password1"]
    user = identify(request, username=request.user.username, password=old)
    try:
        if user is None:
            raise DoesNotOpen
        return passwords.change_password(user=user, old_password=old, new_password=new)
    except DoesNotOpen:
        sentence = _("This is not your present password. Nothing was changed.")
        form.add_error("old_password", ValidationError(sentence, code="invalid_password"))
        return None


@require_safe
@signed_in
def security(request: HttpRequest) -> HttpResponse:
    context = {
        "key_pairs": request.user.key_pairs.order_by("purpose", "-epoch"),
        "slot": recovery.recovery_slot_of(request.user),
        "unlocks": request.user.custody.order_by("-created_at"),
        "current_unlock": request.session.get(unlocking.SESSION_ENTRY),
        "mac_key": request.user.mac_keys.order_by("-epoch").first(),
    }
    return render(request, "accounts/security.html", context)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what to bind a form to: an empty post is a post, too."""
    return request.POST if request.method == "POST" else None


def _next(request: HttpRequest) -> str:
    """Return where to go after signing in: an address of ours, whatever was asked for."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure()):
        return address
    return reverse("gallery:shared-with-me")
