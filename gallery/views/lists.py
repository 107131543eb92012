"""Lists of images: shared with me, mine."""

import uuid

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
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
from gallery.access import Access
from gallery.ledger import unopened
from gallery.models import Grant, Placement
from gallery.opening import Opener
from gallery.releases import record_thumbnails
from gallery.services.invitations.listing import somebody_claims
from gallery.services.relocking import stolen_readers_of
from gallery.services.resharing import somebody_waits_for
from gallery.views.common import releases

PER_PAGE = 60
NEWEST_FIRST = ("-granted_at", "pk")


@require_safe
@signed_in
def shared_with_me(request: PersonRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).exclude(image__owner=request.user)
    template = "gallery/shared_with_me.html"
    return _list(request, grants, template, marks_new=True, **_asked_of(request.user))


@require_safe
@signed_in
def mine(request: PersonRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).filter(image__owner=request.user)
    return _list(request, grants, "gallery/mine.html", **_asked_of(request.user))


def _asked_of(owner: User) -> dict[str, bool]:
    """Return what an owner is asked to do for others, on whichever list they look at."""
    return {
        "readers_waiting": somebody_waits_for(owner),
        "relocking_asked": bool(stolen_readers_of(owner)),
        "invitation_claimed": somebody_claims(owner),
    }


def _live_grants_of(person: User) -> QuerySet[Grant]:
    return Grant.objects.filter(reader=person, ended_at=None).exclude(ends_at__lte=timezone.now())


def page_of(grants: QuerySet[Grant], number: str | None) -> Page[uuid.UUID]:
    """Return a page of the ids of grants, newest first.

    Only ids are sorted and skipped: with all that is shown of a row, a hundred thousand of them
    would take seconds.
    """
    ids = grants.order_by(*NEWEST_FIRST).values_list("pk", flat=True)
    return Paginator(ids, PER_PAGE).get_page(number)


def grants_on(page: Page[uuid.UUID]) -> list[Grant]:
    """Return the grants of a page, with what a card tells of each."""
    placed = Placement.objects.filter(image=OuterRef("image"), ended_at=None)
    others = Count("image__grants", filter=Q(image__grants__ended_at=None)) - 1
    return list(
        Grant.objects.filter(pk__in=list(page.object_list))
        .select_related("reader", "image__owner", "wrapped_key__key_pair")
        .annotate(recipient_count=others, is_placed=Exists(placed))
        .order_by(*NEWEST_FIRST)
    )


def _list(
    request: PersonRequest,
    grants: QuerySet[Grant],
    template: str,
    *,
    marks_new: bool = False,
    **more: bool,
) -> HttpResponse:
    page = page_of(grants, request.GET.get("page"))
    shown = grants_on(page)
    image_ids = [grant.image_id for grant in shown]
    keyring = keyring_of(request)
    if keyring and image_ids and releases(request):
        record_thumbnails(request.user, image_ids)
    new = unopened(image_ids, reader=request.user.pk) if marks_new else ()
    accesses = [Access(request.user, grant) for grant in shown]
    cards = presenting.cards(accesses, Opener(keyring) if keyring else None, new=new)
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
