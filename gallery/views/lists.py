"""Lists of images: shared with me, mine."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from accounts.web.unlocking import keyring_of
from gallery import presenting
from gallery.access import Access, Through
from gallery.ledger import unopened
from gallery.models import Grant, Placement
from gallery.opening import Opener
from gallery.paging import page_of
from gallery.services.invitations.listing import somebody_claims
from gallery.services.relocking import stolen_readers_of
from gallery.services.resharing import somebody_waits_for
from gallery.services.teams import teams_of
from gallery.team_pages import live_places
from gallery.views.common import record_cards

PER_PAGE = 60
NEWEST_FIRST = ("-granted_at", "pk")


@require_safe
@signed_in
def shared_with_me(request: PersonRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).exclude(owner=F("reader"))
    template = "gallery/shared_with_me.html"
    in_teams = places_in_teams(request.user)
    asked = _asked_of(request.user)
    return _list(request, grants, template, asked, marks_new=True, in_teams=in_teams)


@require_safe
@signed_in
def mine(request: PersonRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).filter(owner=F("reader"))
    return _list(request, grants, "gallery/mine.html", _asked_of(request.user))


def _asked_of(owner: User) -> dict[str, bool]:
    """Return what an owner is asked to do for others, on whichever list they look at."""
    return {
        "readers_waiting": somebody_waits_for(owner),
        "relocking_asked": bool(stolen_readers_of(owner)),
        "invitation_claimed": somebody_claims(owner),
    }


def _live_grants_of(person: User) -> QuerySet[Grant]:
    return Grant.objects.filter(reader=person, ended_at=None).exclude(ends_at__lte=timezone.now())


def places_in_teams(person: User) -> QuerySet[Placement] | None:
    """Return the places of images that this person opens through a team alone, each image once;
    None for somebody in no team, who is not kept waiting for it."""
    teams = list(teams_of(person).values_list("circle", flat=True))
    if not teams:
        return None
    places = live_places().filter(circle__in=teams).exclude(image__owner=person)
    granted = _live_grants_of(person).filter(image=OuterRef("image"))
    others = live_places().filter(circle__in=teams, image=OuterRef("image"))
    return places.filter(~Exists(granted), ~Exists(others.filter(pk__lt=OuterRef("pk"))))


def _ids_of(
    grants: QuerySet[Grant], in_teams: QuerySet[Placement] | None
) -> QuerySet[Any, tuple[uuid.UUID, datetime]]:
    """Return the ids of grants, and of places, newest first.

    Only ids are sorted and skipped: with all that is shown of a row, a hundred thousand of them
    would take seconds.
    """
    ids = grants.values_list("pk", "granted_at")
    if in_teams is not None:
        ids = ids.union(in_teams.values_list("pk", "granted_at"), all=True)
    return ids.order_by(*NEWEST_FIRST)


def grants_on(ids: Iterable[uuid.UUID]) -> list[Grant]:
    """Return the grants of a page, with what a card tells of each."""
    placed = Placement.objects.filter(image=OuterRef("image"), ended_at=None)
    others = Count("image__grants", filter=Q(image__grants__ended_at=None)) - 1
    return list(
        Grant.objects.filter(pk__in=list(ids))
        .select_related("reader", "image__owner", "wrapped_key__key_pair")
        .annotate(recipient_count=others, is_placed=Exists(placed))
        .order_by(*NEWEST_FIRST)
    )


def _accesses_of(ids: list[uuid.UUID], person: User) -> list[Access]:
    """Return the access of each row of a page, in their order."""
    found = {grant.pk: Access(person, grant) for grant in grants_on(ids)}
    if missing := [pk for pk in ids if pk not in found]:
        rows = teams_of(person).select_related("circle__owner", "wrapped_key__key_pair")
        members = {member.circle_id: member for member in rows}
        places = Placement.objects.filter(pk__in=missing).select_related("image__owner")
        for place in places:
            if member := members.get(place.circle_id):
                place.circle = member.circle
                found[place.pk] = Access(person, Through(member, place))
    return [found[pk] for pk in ids if pk in found]


def _list(
    request: PersonRequest,
    grants: QuerySet[Grant],
    template: str,
    more: dict[str, bool],
    *,
    marks_new: bool = False,
    in_teams: QuerySet[Placement] | None = None,
) -> HttpResponse:
    rows, number = _ids_of(grants, in_teams), request.GET.get("page")
    page = page_of(rows, PER_PAGE, number, in_full=wants_json(request))
    accesses = _accesses_of([pk for pk, _granted_at in page.object_list], request.user)
    image_ids = [access.image.pk for access in accesses]
    keyring = keyring_of(request)
    new = unopened(image_ids, reader=request.user.pk) if marks_new else ()
    cards = presenting.cards(accesses, Opener(keyring) if keyring else None, new=new)
    record_cards(request, cards)
    if wants_json(request):
        return JsonResponse(
            {
                "images": [presenting.card_json(card) for card in cards],
                "page": page.number,
                "pages": page.paginator.num_pages,
                "total": page.paginator.count,
            }
        )
    select = request.GET.get("select")
    context = {
        "cards": cards,
        "page_obj": page,
        "unlocked": keyring is not None,
        "selecting": select in ("1", "all"),
        "select_all": select == "all",
    }
    return render(request, template, {**context, **more})
