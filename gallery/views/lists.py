"""Lists of images: shared with me, mine."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.keys.names import prefetch_names
from accounts.models import User
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from accounts.web.unlocking import keyring_of
from gallery import presenting
from gallery.access import Access, Through
from gallery.day_words import day_of, said
from gallery.ledger import openers_of, unopened
from gallery.models import Grant, Placement
from gallery.opening import Opener
from gallery.paging import COUNTED, page_of
from gallery.services.invitations.listing import somebody_claims
from gallery.services.relocking import stolen_readers_of
from gallery.services.resharing import somebody_waits_for
from gallery.services.teams import teams_of
from gallery.team_pages import live_places
from gallery.views.common import record_cards
from gallery.views.list_filters import (
    BY_SENDER,
    NEW,
    NEWEST_FIRST,
    OwnFilterForm,
    SharedFilterForm,
    Wishes,
    address_of,
    narrowed,
    order_of,
)

PER_PAGE = 60
SHARED, MINE = "shared", "mine"
FORMS = {SHARED: SharedFilterForm, MINE: OwnFilterForm}
Rows = list[QuerySet[Any]]


@dataclass(frozen=True)
class Group:
    """Cards under one heading of a list."""

    heading: str
    cards: list[presenting.Card]


@require_safe
@signed_in
def shared_with_me(request: PersonRequest) -> HttpResponse:
    return _list(request, SHARED, "gallery/shared_with_me.html")


@require_safe
@signed_in
def mine(request: PersonRequest) -> HttpResponse:
    return _list(request, MINE, "gallery/mine.html")


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


def rows_of(person: User, name: str) -> Rows:
    """Return all rows of a list: grants, and places in teams if there are any."""
    grants = _live_grants_of(person)
    if name == MINE:
        return [grants.filter(owner=F("reader"))]
    in_teams = places_in_teams(person)
    grants = grants.exclude(owner=F("reader"))
    return [grants] if in_teams is None else [grants, in_teams]


def narrowed_rows(
    rows: Rows, wishes: Wishes, *, reader: User, new_before: datetime | None = None
) -> Rows:
    """Return those of a list's rows that are asked for. What is new is looked for among the newest
    thousand; with `new_before`, what was opened since then counts as new, too."""
    new = set[uuid.UUID]()
    if wishes.get("only") == NEW:
        newest = [one.order_by(*NEWEST_FIRST).values_list("image")[:COUNTED] for one in rows]
        images = {image for one in newest for (image,) in one}
        new = unopened(images, reader=reader.pk, before=new_before)
    return [narrowed(one, wishes, new=new, owner=reader) for one in rows]


def ids_in_order(rows: Rows, order: tuple[str, ...]) -> QuerySet[Any, tuple[Any, ...]]:
    """Return the id of each row, and what it is sorted by.

    Only that is sorted and skipped: with all that is shown of a row, a hundred thousand of them
    would take seconds.
    """
    columns = ["pk", "granted_at", *(["sender"] if "sender" in order else [])]
    first, *others = (one.values_list(*columns) for one in rows)
    return (first.union(*others, all=True) if others else first).order_by(*order)


def grants_on(ids: Iterable[uuid.UUID]) -> list[Grant]:
    """Return the grants of a page, with what a card tells of each."""
    placed = Placement.objects.filter(image=OuterRef("image"), ended_at=None)
    live = Q(image__grants__ended_at=None)
    others = Count("image__grants", filter=live) - 1
    next_end = Min("image__grants__ends_at", filter=live)
    return list(
        Grant.objects.filter(pk__in=list(ids))
        .select_related("reader", "image__owner", "wrapped_key__key_pair")
        .annotate(recipient_count=others, next_end=next_end, is_placed=Exists(placed))
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


def _opened_counts(image_ids: list[uuid.UUID], owner: User) -> dict[uuid.UUID, int] | None:
    """Return by how many of those it is shared with each image was opened; None: nobody knows."""
    openers = openers_of(image_ids)
    if openers is None:
        return None
    grants = Grant.objects.filter(image__in=image_ids, ended_at=None).exclude(reader=owner)
    return Counter(
        image
        for image, reader in grants.values_list("image", "reader")
        if (image, reader) in openers
    )


def _grouped(cards: list[presenting.Card], accesses: list[Access], wishes: Wishes) -> list[Group]:
    """Return the cards under headings: whose they are, or the days of the rows they are sorted
    by."""
    by_sender = order_of(wishes) == BY_SENDER
    groups: dict[str, Group] = {}
    for card, access in zip(cards, accesses, strict=True):
        heading = card.owner_name if by_sender else said(day_of(access.rows[0].granted_at))
        key = str(access.image.owner_id) if by_sender else heading
        groups.setdefault(key, Group(heading, [])).cards.append(card)
    return list(groups.values())


def _senders(rows: Rows) -> list[presenting.Person]:
    """Return who shared the newest thousand images, but for those whose names do not verify."""
    owners = User.objects.none()
    for one in rows:
        newest = one.order_by(*NEWEST_FIRST).values("image__owner")[:COUNTED]
        owners |= User.objects.filter(pk__in=newest)
    found = list(owners.order_by("username"))
    prefetch_names(found)
    return [one for one in map(presenting.person_of, found) if one.username]


def _list(request: PersonRequest, name: str, template: str) -> HttpResponse:
    form = FORMS[name](request.GET)
    if wants_json(request) and not form.is_valid():
        return form_refusal(request, form, template)
    wishes, number, rows = form.wishes, request.GET.get("page"), rows_of(request.user, name)
    ids = ids_in_order(narrowed_rows(rows, wishes, reader=request.user), order_of(wishes))
    page = page_of(ids, PER_PAGE, number, in_full=wants_json(request))
    accesses = _accesses_of([pk for pk, *_order in page.object_list], request.user)
    image_ids = [access.image.pk for access in accesses]
    keyring = keyring_of(request)
    cards = presenting.cards(
        accesses,
        Opener(keyring) if keyring else None,
        new=unopened(image_ids, reader=request.user.pk) if name == SHARED else (),
        opened=_opened_counts(image_ids, request.user) if name == MINE else None,
    )
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
        "groups": _grouped(cards, accesses, wishes),
        "came_from": address_of(name, wishes),
        "filters": form,
        "wishes": wishes,
        "is_narrowed": bool(wishes.keys() - {"by"}),
        "senders": _senders(rows) if name == SHARED else [],
        "page_obj": page,
        "unlocked": keyring is not None,
        "selecting": select in ("1", "all"),
        "select_all": select == "all",
        **_asked_of(request.user),
    }
    return render(request, template, context)
