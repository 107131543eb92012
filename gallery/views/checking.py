"""The check before anybody gets access: who will be able to open what, in sentences.

Every form of a page that gives access is asked first. `confirmed` says how far a person is: `0`
asks, `1` does it, `change` leads back to the form, with all that was chosen.
"""

import uuid
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from accounts.web.answers import wants_json
from accounts.web.requests import PersonRequest, open_keys
from gallery import team_pages
from gallery.already import AlbumInWords, Named, invited_in_words
from gallery.forms import TermsForm
from gallery.invitation_forms import InviteForm
from gallery.opening import Opener
from gallery.services import directory

ASK, DO, CHANGE = "0", "1", "change"
# What the check says by itself; everything else that was posted goes along as it is.
SETTLED = {"csrfmiddlewaretoken", "confirmed", "images", "recipients", "accept_changed"}
SETTLED |= {"teams", "team_joins", "ends", "ends_at"}


def step_of(request: PersonRequest, *, unless_said: str) -> str:
    """Return what is to be done now: ASK, DO or CHANGE. Scripts that say nothing are done at once,
    or asked first, as their address always did."""
    step = request.POST.get("confirmed", unless_said)
    return step if step in (DO, CHANGE) else ASK


@sensitive_variables()
def check_access(
    request: PersonRequest,
    form: TermsForm | None,
    template: str,
    *,
    invite_form: InviteForm | None = None,
    album: AlbumInWords | None = None,
    already: list[tuple[User, int]] | None = None,
    circles: Named | None = None,
    **about: Any,
) -> HttpResponse:
    """Answer with who is about to get access, and what to be sure of. `already`, `circles`: who can
    open how many of the images by now. `album`: into which they go. `about`: what the page says
    besides."""
    opener, owner = Opener(open_keys(request)), request.user
    cleaned = form.cleaned_data if form else {}
    chosen, team_ids = [one.user for one in cleaned.get("recipients", [])], cleaned.get("teams", [])
    already = [(user, n) for user, n in already or [] if user not in chosen]
    prefetch_names([*chosen, *(user for user, _n in already)])
    first_time = directory.never_shared_with(chosen, owner=owner)
    look_alikes = directory.look_alikes(first_time, owner=owner)
    if wants_json(request):
        return JsonResponse(_check_json(chosen, team_ids, already, first_time, look_alikes))
    teams = _teams_named(request, team_ids, opener)
    invited = invited_in_words(cleaned.get("invitations", []), opener)
    if invite_form:
        invited.append(_("%(name)s (invited)") % {"name": invite_form.details.display_name})
    names = [certified_name(person).in_full for person in chosen]
    in_teams = [_("the people in the team “%(title)s”") % {"title": team.name} for team in teams]
    context = {
        "names": ", ".join([*names, *in_teams, *invited, *([album.everybody] if album else [])]),
        "album": album,
        "count": len(chosen) + len(invited),
        "teams": teams,
        "others": [(certified_name(user).in_full, n) for user, n in already] + (circles or []),
        "first_time": get_text_list([certified_name(one).in_full for one in first_time], _("and")),
        "first_time_count": len(first_time),
        "look_alikes": [[certified_name(person) for person in pair] for pair in look_alikes],
        "invite": invite_form and invite_form.details,
        "known": _known_by_this_name(invite_form, owner),
        "terms": form and form.terms,
        "fields": _fields(request, form, chosen, team_ids),
        **about,
    }
    return render(request, template, context)


def _check_json(
    chosen: list[User],
    team_ids: list[uuid.UUID],
    already: list[tuple[User, int]],
    first_time: list[User],
    look_alikes: list[tuple[User, User]],
) -> dict[str, Any]:
    return {
        "recipients": [person_json(person) for person in chosen],
        "teams": [str(team_id) for team_id in team_ids],
        "already": [{**person_json(user), "images": n} for user, n in already],
        "first_time": [certified_name(person).username for person in first_time],
        "look_alikes": [
            [certified_name(person).username for person in pair] for pair in look_alikes
        ],
    }


def person_json(person: User) -> dict[str, str | None]:
    name = certified_name(person)
    return {"username": name.username, "display_name": name.display_name}


def _teams_named(
    request: PersonRequest, ids: list[uuid.UUID], opener: Opener
) -> list[team_pages.TeamLine]:
    lines = team_pages.lines_of(request.user, opener) if ids else []
    return [line for line in lines if line.id in ids]


@sensitive_variables()
def _known_by_this_name(invite_form: InviteForm | None, owner: User) -> list[str]:
    if invite_form is None:
        return []
    known = directory.known_by_this_name(invite_form.details.display_name, owner=owner)
    return [certified_name(person).in_full for person in known]


@sensitive_variables()
def _fields(
    request: PersonRequest, form: TermsForm | None, chosen: list[User], teams: list[uuid.UUID]
) -> list[tuple[str, str]]:
    """Return what the check's form sends on: the very people who were shown, by username, so that
    who joins a team between the check and the act is not among its people of now; and the very end,
    since “in 7 days” is another time for each file of an upload."""
    fields = [("recipients", str(certified_name(person).username)) for person in chosen]
    fields += [(name, str(team)) for team in teams for name in ("teams", "team_joins")]
    if form and form.terms.ends_at:
        ends_at = timezone.localtime(form.terms.ends_at)
        fields += [("ends", "date"), ("ends_at", f"{ends_at:%Y-%m-%dT%H:%M:%S}")]
    return fields + [
        (name, value)
        for name, values in request.POST.lists()
        if name not in SETTLED and not name.startswith("team_joins-")
        for value in values
    ]
