"""What happened to one image: for its owner, on a page, as JSON, and as a table to keep."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from audit.tables import as_table
from gallery.access import access_to
from gallery.answers import answers_refusals
from gallery.image_activity import (
    FILTERS,
    Happening,
    all_happenings_of,
    happenings_of,
    people_of,
)
from gallery.views.tables import number_asked_for

COLUMNS = ("time", "what", "username", "display_name", "rights", "ends_at")


@require_safe
@signed_in
@answers_refusals
def image_activity(request: PersonRequest, image_id: uuid.UUID) -> HttpResponseBase:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    people = people_of(access.image)
    prefetch_names(people)
    asked, wanted = request.GET.get("what", ""), request.GET.get("person", "")
    only, person = asked if asked in FILTERS else "", _chosen(people, wanted)
    is_nobody = bool(wanted) and person is None
    if request.GET.get("format") == "csv":
        # Before the answer begins: without the trail it is a refusal, not a table that looks whole.
        everything = all_happenings_of(access.image, only=only, person=person)
        rows = [] if is_nobody else [row for one in everything for row in _rows(one)]
        return as_table(COLUMNS, rows, name=f"image-{str(image_id)[:8]}-activity")
    before = number_asked_for(request)
    found, following = happenings_of(access.image, only=only, person=person, before=before)
    if is_nobody:
        found, following = [], None
    if wants_json(request):
        return JsonResponse({"acts": [_json(one) for one in found], "before": following})
    context = {
        "image_id": image_id,
        "happenings": found,
        "only": only,
        "filters": _filters(),
        "people": [{"id": one.pk, "name": certified_name(one).in_full} for one in people],
        "person_id": person.pk if person else None,
        "following": following,
        "is_first": before is None,
    }
    return render(request, "gallery/image_activity.html", context)


def _filters() -> list[tuple[str, str]]:
    return [
        ("", _("Everything")),
        ("opened", _("Opened")),
        ("downloaded", _("Downloaded")),
        ("sharing", _("Shared and ended")),
        ("acknowledged", _("Receipt confirmed")),
    ]


def _chosen(people: list[User], wanted: str) -> User | None:
    """Return the one of these people with this id or certified username."""
    known = {str(one.pk): one for one in people}
    known |= {name: one for one in people if (name := certified_name(one).username)}
    return known.get(wanted)


def _json(one: Happening) -> dict[str, Any]:
    people = [{"username": name.username, "display_name": name.display_name} for name in one.people]
    terms = {"rights": one.rights or None, "ends_at": one.ends_at}
    return {"time": one.time, "what": one.what.value, "people": people, **terms}


def _rows(one: Happening) -> Iterator[tuple[str, ...]]:
    """Yield a row for each person: a table is sorted and counted by people."""
    ends_at = one.ends_at.isoformat() if one.ends_at else ""
    named = [(name.username or "", name.display_name) for name in one.people]
    for names in named or [("", "")]:
        yield one.time.isoformat(), one.what.value, *names, one.rights, ends_at
