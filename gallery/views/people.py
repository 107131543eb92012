"""Finding people to share with, by a part of their name."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts import throttle
from accounts.usernames import fold, is_well_formed
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery import presenting
from gallery.answers import answers_refusals
from gallery.forms import PeopleForm
from gallery.services import directory
from gallery.views.common import recent_contacts


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
@answers_refusals
def people(request: PersonRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/people.html", {"people": recent_contacts(request.user)})
    form = PeopleForm(request.POST)
    if not form.is_valid():
        return form_refusal(request, form, "gallery/people.html", {})
    text = form.cleaned_data["q"]
    _count_stranger(request, text)
    found = directory.people_found(searcher=request.user, text=text)
    shown = [presenting.person_of(person) for person in found]
    new = {person.pk for person in directory.never_shared_with(found, owner=request.user)}
    if wants_json(request):
        return JsonResponse({"people": [_json(person, new) for person in shown]})
    return render(request, "gallery/people.html", {"people": shown, "text": text})


def _json(person: presenting.Person, new: set[Any]) -> dict[str, Any]:
    return {
        "username": person.username,
        "display_name": person.display_name,
        "initials": person.initials,
        "avatar_class": person.avatar_class,
        "first_time": person.id in new,
    }


def _count_stranger(request: PersonRequest, text: str) -> None:
    """Exact usernames can be found out by trying: not by trying very many. What finds only people
    one knows is free, so that one can search while one types."""
    name = fold(text).removeprefix("@")
    if is_well_formed(name):
        known = directory.exchanged_with(request.user).filter(username__startswith=name)
        if not known.exists():
            person, limit = str(request.user.pk), settings.NAME_LOOKUPS_PER_HOUR
            throttle.count("names", person, limit=limit)
