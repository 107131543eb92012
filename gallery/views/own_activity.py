"""What a person did with images themselves: a page, JSON, and a table to keep."""

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.keys.names import Name
from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from audit.tables import as_table
from gallery import presenting
from gallery.own_activity import FILTERS, Deed, all_deeds_of, deeds_of
from gallery.views.tables import number_asked_for

COLUMNS = ("time", "event", "image", "owner", "owner_name", "reader", "reader_name", "album")


@require_safe
@signed_in
def own_activity(request: PersonRequest) -> HttpResponseBase:
    asked = request.GET.get("what", "")
    only = asked if asked in FILTERS else ""
    if request.GET.get("format") == "csv":
        # Before the answer begins: without the trail it is a refusal, not a table that looks whole.
        everything = list(all_deeds_of(request.user, only=only))
        return as_table(COLUMNS, map(_row, everything), name="activity")
    before = number_asked_for(request)
    deeds, following = deeds_of(request.user, only=only, before=before)
    if wants_json(request):
        acts = [dict(zip(COLUMNS, _row(deed), strict=True)) for deed in deeds]
        return JsonResponse({"acts": acts, "before": following})
    shown = [
        {
            "sentence": deed.sentence,
            "time": deed.time,
            "address": _address_of(deed),
        }
        for deed in deeds
        if deed.is_about_something
    ]
    context = {"deeds": shown, "only": only, "following": following, "is_first": before is None}
    return render(request, "gallery/own_activity.html", context)


def _address_of(deed: Deed) -> str | None:
    if deed.event.startswith("successors:") and deed.album_id is None:
        return reverse("gallery:successors")
    if deed.is_deleted:
        return None
    if deed.event.startswith("successors:"):
        return reverse("gallery:album-successors", args=[deed.album_id])
    if deed.image_id:
        return presenting.address("image", deed.image_id)
    return presenting.address("album", deed.album_id) if deed.album_id else None


def _row(deed: Deed) -> tuple[str, ...]:
    image, album = str(deed.image_id or ""), str(deed.album_id or "")
    names = *_names(deed.owner), *_names(deed.reader)
    return deed.time.isoformat(), deed.event.value, image, *names, album


def _names(name: Name | None) -> tuple[str, str]:
    return (name.username or "", name.display_name) if name else ("", "")
