"""Teams: the list, a new one, and one of them."""

import uuid
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.policy import people_may_invite
from accounts.views.common import posted
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import recoverable, unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting, team_pages
from gallery.access import membership_of
from gallery.answers import answers_team_refusals
from gallery.invitation_forms import InviteForm
from gallery.models import Member
from gallery.opening import Opener
from gallery.services.circles.making import make_circle
from gallery.services.teams import TEAM
from gallery.team_forms import MembersForm, TeamForm
from gallery.views.common import people_to_choose, record_cards

HIDDEN = ("id", "initials", "avatar_class")


@require_safe
@unlocked
@answers_team_refusals
def teams(request: PersonRequest) -> HttpResponse:
    lines = team_pages.lines_of(request.user, Opener(open_keys(request)))
    if wants_json(request):
        return JsonResponse({"teams": [team_pages.line_json(line) for line in lines]})
    return render(request, "gallery/teams.html", {"teams": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_team_refusals
def new(request: PersonRequest) -> HttpResponse:
    form = TeamForm(posted(request))
    if request.method != "POST":
        return render(request, "gallery/new_team.html", {"form": form})
    if not form.is_valid():
        return form_refusal(request, form, "gallery/new_team.html", {"form": form})
    team = make_circle(keyring=open_keys(request), kind=TEAM, **form.wished)
    url = presenting.address("team", team.pk)
    if wants_json(request):
        return JsonResponse({"id": str(team.pk), "url": url}, status=201)
    return redirect(url)


@require_safe
@unlocked
@answers_team_refusals
def team(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    member = membership_of(team_id, reader=request.user, kind=TEAM)
    context = team_page(request, member)
    if wants_json(request):
        return JsonResponse(_team_json(context))
    return render(request, "gallery/team.html", context)


def team_page(request: PersonRequest, member: Member, **more: Any) -> dict[str, Any]:
    """Return what the page of a team shows: to its owner also the forms to change it."""
    opener = Opener(open_keys(request))
    context = team_pages.team_context(member, opener)
    cards = presenting.cards(team_pages.own_images_in(member.circle_id, request.user), opener)
    record_cards(request, cards)
    context |= {
        "cards": cards,
        "unlocked": True,
        "albums": team_pages.own_albums_of(member.circle_id, request.user, opener),
    }
    if context["is_owner"]:
        context |= {
            "edit_form": TeamForm(initial=context["team"]),
            "form": MembersForm(owner=request.user),
            "invite_form": InviteForm(prefix="invite"),
            "may_invite": people_may_invite(),
            "people_to_choose": {**people_to_choose(request, opener), "teams": []},
        }
    return context | more


def _team_json(context: dict[str, Any]) -> dict[str, Any]:
    owner = context["owner"]
    return {
        **context["team"],
        "owner": {"username": owner.username, "display_name": owner.display_name},
        "is_owner": context["is_owner"],
        "state": context["standing"],
        "people": [
            {name: fact for name, fact in person.items() if name not in HIDDEN}
            for person in context["people"]
        ],
        "invited": [str(row["id"]) for row in context["invited"]],
        "to_relock": context["to_relock"],
        "images": [str(card.id) for card in context["cards"]],
        "albums": context["albums"],
    }
