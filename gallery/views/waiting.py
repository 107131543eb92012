"""People waiting for access: readers whose keys are new, and sharing with them again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.fingerprints import grouped, words
from accounts.keys.certificates import NoKeys
from accounts.keys.names import certified_name, find_person, prefetch_names
from accounts.keys.pins import ContactsRefused, KeyChanged
from accounts.models import User
from accounts.web.answers import refusal, wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.answers import answers_refusals
from gallery.services import resharing
from gallery.services.resharing import SharedAgain, WaitingReader


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def waiting(request: PersonRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _share_again(request)
    waiting = resharing.readers_waiting_for(request.user)
    prefetch_names(reader.person for reader in waiting)
    readers = [_shown(reader) for reader in waiting]
    if wants_json(request):
        facts = (
            "username",
            "display_name",
            "images",
            "albums",
            "fingerprint",
            "endorsed",
            "can_receive",
        )
        shown = [{name: reader[name] for name in facts} for reader in readers]
        return JsonResponse({"waiting": shown})
    return render(request, "gallery/waiting_readers.html", {"readers": readers})


def _shown(reader: WaitingReader) -> dict[str, Any]:
    person = presenting.person_of(reader.person)
    pair = reader.signing_pair if person.username else None
    return {
        "username": person.username,
        "display_name": person.display_name,
        "initials": person.initials,
        "avatar_class": person.avatar_class,
        "images": reader.images,
        "albums": reader.albums,
        "can_receive": pair is not None,
        "fingerprint": pair.fingerprint if pair else None,
        "grouped_fingerprint": grouped(pair.fingerprint) if pair else "",
        "words": words(pair.fingerprint) if pair else [],
        "since": pair.created_at if pair else None,
        "endorsed": reader.is_endorsed,
    }


@unlocked
@answers_refusals
def _share_again(request: PersonRequest) -> HttpResponse:
    asked = request.POST.get("reader", "")
    readers = resharing.readers_waiting_for(request.user)
    reader = next((one for one in readers if one.person.username == asked), None)
    if reader is None or find_person(asked) is None:
        sentence = _("Nobody of this name is waiting for access. Nothing was changed.")
        return refusal(request, 404, "not_found", sentence)
    person, pair = reader.person, reader.signing_pair
    if pair is not None and pair.fingerprint != request.POST.get("fingerprint", ""):
        return _compare_first(request, person)  # it may have changed since it was shown
    try:
        done = resharing.share_again(keyring=open_keys(request), person=person)
    except NoKeys:
        sentence = _("%(name)s is still getting new keys. Nothing was changed. Try again later.")
        return refusal(request, 409, "no_keys", sentence % {"name": certified_name(person)})
    except (KeyChanged, ContactsRefused):
        return _compare_first(request, person)
    return _shared_again(request, person, done)


def _compare_first(request: PersonRequest, person: User) -> HttpResponse:
    sentence = _(
        "Compare keys with %(name)s first: the key is not the one you were shown, the words did "
        "not match, or your list of compared keys is not as you left it. Nothing was changed."
    )
    return refusal(request, 409, "key_changed", sentence % {"name": certified_name(person)})


def _shared_again(request: PersonRequest, person: User, done: SharedAgain) -> HttpResponse:
    if wants_json(request):
        facts = {"shared_again": done.shared, "left": done.left, "closed": done.closed}
        return JsonResponse(facts)
    sentence = ngettext(
        "%(name)s can open %(count)s image again.",
        "%(name)s can open %(count)s images again.",
        done.shared,
    )
    messages.success(request, sentence % {"name": certified_name(person), "count": done.shared})
    if done.closed:
        sentence = _("%(count)s stay locked: you cannot open them either.")
        messages.warning(request, sentence % {"count": done.closed})
    return redirect("gallery:waiting" if done.left else "gallery:mine")
