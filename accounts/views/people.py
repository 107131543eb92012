"""The page of a person: what their key looks like, and comparing it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import usernames
from accounts.fingerprints import grouped, qr_code, words
from accounts.keys import pins
from accounts.keys.certificates import NoKeys, is_endorsed
from accounts.keys.identities import Identity, identity_of
from accounts.keys.names import Name, certified_name
from accounts.keys.recipients import record_wrong_key, record_wrong_name, waits_for_keys
from accounts.models import KeyPair, User
from accounts.throttle import count
from accounts.views.comparing import CompareForm
from accounts.web.answers import form_refusal, refusal, wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.requests import PersonRequest, open_keys
from accounts.web.unlocking import keyring_of
from cryptocore.errors import CryptoError


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def person(request: PersonRequest, username: str) -> HttpResponseBase:
    """A person by their exact, certified username; 404 alike if there is nobody, or they are
    disabled, have no keys, or have that name only by an altered row."""
    try:
        shown = _person_shown(request, username)
    except WaitsForKeys as waiting:
        sentence = _(
            "The keys of %(name)s may be known to somebody else, and they have no new keys yet. "
            "You can compare and share again when they do."
        )
        name = {"name": certified_name(waiting.person)}
        return refusal(request, 409, "no_keys", sentence % name)
    if request.method == "POST":
        return unlocked(_compare)(request, shown)
    form = CompareForm(asker=request.user.pk, fingerprint=shown.fingerprint)
    context = _page(request, shown, form)
    if wants_json(request):
        return JsonResponse(_as_json(context))
    return render(request, "accounts/person.html", context)


class WaitsForKeys(Exception):
    """This person's keys were stolen, and there are no others yet."""

    def __init__(self, person: User) -> None:
        super().__init__("waits for keys")
        self.person = person


@dataclass(frozen=True)
class Shown:
    """Whose key is shown, and which."""

    person: User
    identity: Identity

    @property
    def name(self) -> Name:
        return certified_name(self.person)

    @property
    def fingerprint(self) -> str:
        return self.identity.signing.fingerprint


def _person_shown(request: PersonRequest, username: str) -> Shown:
    name = usernames.fold(username)
    if name != request.user.username:
        # Exact names can be found out by trying: not by trying very many.
        count("names", str(request.user.pk), limit=settings.NAME_LOOKUPS_PER_HOUR)
    known = usernames.is_well_formed(name) and User.objects.filter(username=name, is_active=True)
    found = known.first() if known else None
    if found is None:
        raise Http404
    try:
        identity = None if waits_for_keys(found) else identity_of(found.pk)
    except NoKeys:
        raise Http404 from None
    except CryptoError:
        record_wrong_key(found)
        raise Http404 from None
    # One's own page shows the words that others compare, whatever became of the name.
    if found != request.user and not certified_name(found).require_known().is_certified:
        record_wrong_name(found)
        raise Http404
    if identity is None:
        raise WaitsForKeys(found)
    return Shown(found, identity)


# ---- the page --------------------------------------------------------------------------------


def _page(request: PersonRequest, shown: Shown, form: CompareForm) -> dict[str, Any]:
    width, path = qr_code(shown.fingerprint)
    spelled = words(shown.fingerprint)
    return {
        "person": shown.name,
        "username": shown.person.username,
        "is_self": shown.person == request.user,
        "fingerprint": shown.fingerprint,
        "groups": grouped(shown.fingerprint).split(),
        "words": spelled,
        # A quiet zone of four modules on every side (ISO/IEC 18004).
        "qr": {"path": path, "box": f"-4 -4 {width + 8} {width + 8}", "width": width + 8},
        "certified_at": shown.identity.certified_at,
        "is_first": shown.identity.signing.epoch == 1,
        "is_endorsed": is_endorsed(shown.identity.signing),
        "earlier": _earlier(shown.identity.signing),
        "form": form,
        **_compared(request, shown),
    }


def _earlier(signing: KeyPair) -> list[dict[str, Any]]:
    before = KeyPair.objects.filter(
        user_id=signing.user_id, purpose=signing.purpose, epoch__lt=signing.epoch
    )
    return [
        {
            "fingerprint": pair.fingerprint,
            "grouped": pair.grouped_fingerprint,
            "since": pair.created_at,
            "compromised": pair.compromised_at is not None,
        }
        for pair in before.order_by("-epoch")
    ]


def _compared(request: PersonRequest, shown: Shown) -> dict[str, Any]:
    """Return what the reader's own list says of this key: only while they are unlocked."""
    keyring = keyring_of(request)
    if keyring is None:
        return {"compared_at": None, "change": None, "is_refused": False}
    try:
        contacts = pins.contacts_of(keyring)
    except pins.ContactsRefused:
        return {"compared_at": None, "change": None, "is_refused": True}
    return {
        "compared_at": contacts.compared_at(shown.person, shown.fingerprint),
        "change": contacts.change_of(shown.person, shown.identity),
        "is_refused": False,
    }


def _as_json(context: dict[str, Any]) -> dict[str, Any]:
    person, change, question = context["person"], context["change"], context["form"].asked
    facts = {
        "username": context["username"],
        "display_name": person.display_name,
        "fingerprint": context["fingerprint"],
        "words": context["words"],
        "certified_at": context["certified_at"],
        "endorsed": context["is_endorsed"],
        "earlier": [
            {name: pair[name] for name in ("fingerprint", "since", "compromised")}
            for pair in context["earlier"]
        ],
        "compared_at": context["compared_at"],
        "change": change.how if change else None,
        "contacts_refused": context["is_refused"],
    }
    if not context["is_self"]:
        facts["compare"] = {"question": question.signed(), "words": list(question.numbers)}
    return facts


# ---- comparing -------------------------------------------------------------------------------


def _compare(request: PersonRequest, shown: Shown) -> HttpResponse:
    if shown.person == request.user:
        raise Http404  # nobody telephones themselves
    form = CompareForm(request.POST, asker=request.user.pk, fingerprint=shown.fingerprint)
    if not form.is_valid():
        return form_refusal(request, form, "accounts/person.html", _page(request, shown, form))
    pins.note_compared(
        keyring=open_keys(request),
        person=shown.person,
        identity=shown.identity,
        matches=form.matches,
    )
    if wants_json(request):
        return JsonResponse({"compared": shown.person.username, "matches": form.matches})
    if form.matches:
        sentence = _("Compared. If this key ever changes, you are asked before anything is shared.")
        messages.success(request, sentence)
    return redirect("person", shown.person.username)


@require_POST
@unlocked
def contacts_anew(request: PersonRequest) -> HttpResponse:
    """Start your list of compared keys again: nobody counts as compared."""
    pins.begin_anew(keyring=open_keys(request))
    if wants_json(request):
        return JsonResponse({"begun": True})
    sentence = _("You have a new list of compared keys. Compare the keys that matter once more.")
    messages.success(request, sentence)
    return redirect("person", request.user.username)
