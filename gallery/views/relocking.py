"""Images that a thief of somebody's keys may open, and encrypting them again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.keys.names import prefetch_names
from accounts.models import User
from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.answers import answers_refusals
from gallery.services.relocking import StolenReader, relock_after_theft, stolen_readers_of


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def relock(request: PersonRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _relock(request)
    stolen = stolen_readers_of(request.user)
    prefetch_names(reader.person for reader in stolen)
    readers = [_shown(reader, request.user) for reader in stolen]
    if wants_json(request):
        facts = ("username", "display_name", "images", "albums", "stolen_at")
        return JsonResponse({"relock": [{name: one[name] for name in facts} for one in readers]})
    return render(request, "gallery/relock.html", {"readers": readers})


def _shown(reader: StolenReader, owner: User) -> dict[str, Any]:
    person = presenting.person_of(reader.person)
    return {
        "username": person.username,
        "display_name": person.display_name,
        "initials": person.initials,
        "avatar_class": person.avatar_class,
        "images": len(reader.images),
        "albums": len(reader.albums),
        "stolen_at": reader.stolen_at,
        "is_owner": reader.person == owner,
    }


@unlocked
@answers_refusals
def _relock(request: PersonRequest) -> HttpResponse:
    done = relock_after_theft(keyring=open_keys(request))
    if wants_json(request):
        facts = {"relocked": done.relocked, "left": done.left, "closed": done.closed}
        return JsonResponse(facts)
    sentence = ngettext(
        "%(count)s image has a new key.", "%(count)s images have new keys.", done.relocked
    )
    messages.success(request, sentence % {"count": done.relocked})
    if done.closed:
        sentence = _("%(count)s were left as they are: they do not open or do not verify.")
        messages.warning(request, sentence % {"count": done.closed})
    return redirect("gallery:relock" if done.left else "gallery:mine")
