"""What the pages of an account share: binding, beginning a session, refusing a secret."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from accounts import forms
from accounts.custody import Keyring, NewCode
from accounts.folding import record_refusal
from accounts.models import User
from accounts.services.organisation import slots as organisation_slots
from accounts.services.organisation.answers import destroy_ended_answers
from accounts.services.organisation.slots import News
from accounts.services.organisation.trail import recovery_is_begun
from accounts.web import unlocking
from accounts.web.answers import refusal, wants_json
from accounts.web.choices import remember_choice
from accounts.web.guessing import identify, know_browser
from accounts.web.requests import is_our_address
from audit.events import Event, Outcome, record

# Session entry: the password was changed elsewhere, so it signs in and opens nothing.
CHANGED_ELSEWHERE = "changed_elsewhere"
ORGANISATION_NEWS = {
    News.ANNOUNCED: gettext_lazy(
        "The organisation that runs this site has set up a recovery key. From the next time you "
        "unlock, it can open what you can open, with a key it keeps offline; it cannot sign in "
        "your name. If it does, your page “You” shows it."
    ),
    News.MADE: gettext_lazy(
        "The organisation that runs this site can now recover your account with a key it keeps "
        "offline."
    ),
    News.MOVED: gettext_lazy(
        "The organisation that runs this site has replaced the recovery key it keeps offline."
    ),
}
RECOVERY_BEGUN = gettext_lazy(
    "The organisation has begun to recover your account. If you did not ask for this, change your "
    "password now: that ends it. Then ask staff who started it."
)


def keys_are_locked(request: HttpRequest) -> HttpResponse:
    """Lead somebody whose password opens nothing to what does: a page, or 409 `keys_locked`."""
    if not wants_json(request):
        return redirect("accounts:locked-keys")
    sentence = _(
        "Your password was set by an operator or by e-mail, not with your keys, and does not open "
        "them. Nothing is lost."
    )
    return refusal(request, 409, "keys_locked", sentence)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what to bind a form to: an empty post is a post, too."""
    return request.POST if request.method == "POST" else None


def next_address(request: HttpRequest) -> str:
    """Return where to go after signing in: always one of our own addresses."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    return address if is_our_address(request, address) else reverse("gallery:shared-with-me")


def refuse_sign_in(request: HttpRequest, form: BaseForm, event: Event) -> None:
    """One sentence for an unknown name and a wrong password alike."""
    username = form.cleaned_data.get("username", "")
    known = User.objects.filter(username=username).values_list("pk", flat=True).first()
    record(event, actor=request.user.pk, subject=known, outcome=Outcome.REFUSED)
    sentence = _("Wrong username, password or code. Nothing was changed. Check them and try again.")
    form.add_error(None, ValidationError(sentence, code="invalid_login"))


def refuse_password(request: HttpRequest, form: BaseForm) -> None:
    record_refusal(request, Event.ACCOUNT_UNLOCK_REFUSED, subject=request.user.pk)
    sentence = _("This is not your password. Nothing was changed. Try again.")
    form.add_error("password", ValidationError(sentence, code="invalid_password"))


@sensitive_variables()
def signed_in_answer(
    request: HttpRequest, keyring: Keyring, address: str, status: int = 200
) -> HttpResponse:
    """Sign the keyring's person in, unlocked, and send them on."""
    secret = begin_session(request, keyring)
    facts = {"username": keyring.user.username, "unlocked": True, "next": address}
    answer = JsonResponse(facts, status=status) if wants_json(request) else redirect(address)
    language, cookie = keyring.user.language, settings.LANGUAGE_COOKIE_NAME
    if cookie not in request.COOKIES and language in dict(settings.LANGUAGES):
        remember_choice(answer, cookie, language)
    return know_browser(unlocking.remember(answer, secret), keyring.user.username)


@sensitive_variables()
def begin_session(request: HttpRequest, keyring: Keyring) -> bytes:
    """Begin a session with a new id and an absolute end; return the secret for its cookie."""
    log_in(request, keyring.user)
    return keep_open(request, keyring)


@sensitive_variables()
def keep_open(request: HttpRequest, keyring: Keyring) -> bytes:
    """Keep `keyring` open for this browser; return the secret for its cookie. Shows what the
    organisation can do, or began to do."""
    secret = unlocking.unlock(request, keyring)
    destroy_ended_answers(user=keyring.user)
    news = organisation_slots.keep_organisation_slot(keyring=keyring)
    if news:
        messages.warning(request, ORGANISATION_NEWS[news])
    if organisation_slots.answer_slot_of(keyring.user) or recovery_is_begun(keyring.user):
        messages.warning(request, RECOVERY_BEGUN)
    return secret


def log_in(request: HttpRequest, user: User) -> None:
    unlocking.drop(request)  # somebody else's keys, if they were open in this browser
    login(request, user, backend="accounts.backends.PasswordBackend")
    request.session.pop(CHANGED_ELSEWHERE, None)
    request.session.set_expiry(timezone.now() + settings.SIGN_OUT_AFTER)
    record(Event.ACCOUNT_SIGNED_IN, actor=user.pk, subject=user.pk)


@sensitive_variables()
def password_is_right(request: HttpRequest, form: forms.UnlockForm) -> bool:
    if not form.is_valid():
        return False
    password = form.cleaned_data["password"]
    if identify(request, username=request.user.username, password=password):
        return True
    refuse_password(request, form)
    return False


@sensitive_variables()
def show_code(request: HttpRequest, new_code: NewCode, **why: bool) -> HttpResponse:
    """Show a new code, this once. `why`: used=True, or started_anew=True."""
    first, second = new_code.confirm_first, new_code.confirm_second
    if wants_json(request):
        shown = "-".join(new_code.groups)
        return JsonResponse({"recovery_code": shown, "confirm": [first, second]})
    context = {
        "groups": new_code.groups,
        "confirm_first": first,
        "confirm_second": second,
        "form": forms.ConfirmCodeForm(first=first, second=second),
        **why,
    }
    return render(request, "accounts/recovery_code.html", context)


def to_replacing(request: HttpRequest) -> HttpResponse:
    """The answer to a right password or code that is no proof any more: nobody is signed in."""
    if not wants_json(request):
        return redirect("accounts:replace-keys")
    sentence = _("Your keys must be replaced first. Use your recovery code or a one-time code.")
    return refusal(request, 403, "keys_compromised", sentence)
