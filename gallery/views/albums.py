"""Albums: the list, a new one, and one of them."""

import uuid
from typing import Any

from django.core.paginator import Page
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import recoverable, signed_in, unlocked
from accounts.web.requests import PersonRequest, open_keys
from accounts.web.unlocking import keyring_of
from gallery import album_cards, album_pages, presenting
from gallery.access import membership_of
from gallery.album_forms import AlbumForm, NewAlbumForm
from gallery.answers import answers_album_refusals
from gallery.errors import NotAllowed
from gallery.forms import ImageShareForm, SelectionForm
from gallery.ledger import unopened
from gallery.models import Member, Placement
from gallery.opening import Opener
from gallery.paging import page_of
from gallery.releases import record_album, record_titles
from gallery.services import many
from gallery.services.circles import making
from gallery.views.common import (
    people_to_choose,
    record_cards,
    releases,
)
from gallery.views.list_filters import address_of
from gallery.views.placing import place_all

PER_PAGE = 60
NEWEST_FIRST = ("-granted_at", "pk")


# ---- the list --------------------------------------------------------------------------------


@require_safe
@signed_in
def albums(request: PersonRequest) -> HttpResponse:
    return _list(request, AlbumForm())


def _list(request: PersonRequest, form: AlbumForm) -> HttpResponse:
    keyring = keyring_of(request)
    members = album_cards.memberships_of(request.user).order_by(*NEWEST_FIRST)
    ids, number = members.values_list("pk", flat=True), request.GET.get("page")
    page = page_of(ids, PER_PAGE, number, in_full=wants_json(request))
    rows = Member.objects.filter(pk__in=list(page.object_list)).order_by(*NEWEST_FIRST)
    shown = album_cards.shown_members(rows, request.user)
    cards = album_cards.cards(shown, Opener(keyring) if keyring else None)
    opened = [card.id for card in cards if card.is_open]
    if opened and releases(request):
        record_titles(request.user, opened)
    if wants_json(request):
        return JsonResponse(
            {"albums": [album_cards.card_json(card) for card in cards], **_paged(page)}
        )
    context = {"albums": cards, "page_obj": page, "unlocked": keyring is not None, "form": form}
    return render(request, "gallery/albums.html", context, status=422 if form.errors else 200)


def _paged(page: Page[Any]) -> dict[str, int]:
    return {
        "page": page.number,
        "pages": page.paginator.num_pages,
        "total": page.paginator.count,
    }


@require_POST
@recoverable
@answers_album_refusals
def new(request: PersonRequest) -> HttpResponse:
    """Make an album; `images`, if any, are put into it."""
    form = NewAlbumForm(request.POST, owner=request.user)
    chosen = SelectionForm(request.POST)
    has_images = "images" in request.POST
    if has_images and not chosen.is_valid():
        return form_refusal(request, chosen, "gallery/not_selected.html")
    if not form.is_valid():
        if wants_json(request):
            return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
        return _list(request, form)
    images = chosen.cleaned_data["images"] if has_images else []
    if many.first_of_others(images, owner=request.user):
        raise NotAllowed
    album = making.make_circle(keyring=open_keys(request), **form.wished)
    if images:
        return place_all(request, images, album.pk, status=201)
    url = presenting.address("album", album.pk)
    if wants_json(request):
        return JsonResponse({"id": str(album.pk), "url": url}, status=201)
    return redirect(url)


# ---- one album -------------------------------------------------------------------------------


@require_safe
@unlocked
@answers_album_refusals
def album(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    context = album_page(request, membership_of(album_id, reader=request.user))
    if wants_json(request):
        return JsonResponse(_album_json(context))
    return render(request, "gallery/album.html", context)


def album_page(request: PersonRequest, member: Member, **more: Any) -> dict[str, Any]:
    """Return what the page of an album shows. Records that it is."""
    opener = Opener(open_keys(request))
    context = album_pages.album_context(member, opener)
    placed = album_cards.live_placements(member.circle_id).order_by(*NEWEST_FIRST)
    ids, number = placed.values_list("pk", flat=True), request.GET.get("page")
    page = page_of(ids, PER_PAGE, number, in_full=wants_json(request))
    rows = Placement.objects.filter(pk__in=list(page.object_list)).select_related("image__owner")
    accesses = album_pages.accesses_through(
        member, rows.order_by(*NEWEST_FIRST), reader=request.user
    )
    image_ids = [access.image.pk for access in accesses]
    if releases(request):
        record_album(request.user, member.circle_id)
    new = () if context["is_owner"] else unopened(image_ids, reader=request.user.pk)
    cards = presenting.cards(accesses, opener, new=new)
    record_cards(request, cards)
    select = request.GET.get("select")
    context |= {
        "cards": cards,
        "came_from": address_of(str(member.circle_id), {}),
        "page_obj": page,
        "unlocked": True,
        "selecting": select in ("1", "all"),
        "select_all": select == "all",
    }
    if context["is_owner"]:
        context |= {
            "share_form": ImageShareForm(owner=request.user),
            "people": people_to_choose(request, opener),
        }
        context["edit_form"] = AlbumForm(initial=context["album"])
    return context | more


def _album_json(context: dict[str, Any]) -> dict[str, Any]:
    owner = context["owner"]
    facts = {
        **context["album"],
        "owner": {"username": owner.username, "display_name": owner.display_name},
        "state": context["standing"],
        "rights": context["rights"],
        "ends_at": context["ends_at"],
        "may_add": context["may_add"],
        "images": [presenting.card_json(card) for card in context["cards"]],
        **_paged(context["page_obj"]),
    }
    hidden = ("initials", "avatar_class")
    if "rows" in context:
        facts["people"] = [
            {name: fact for name, fact in row.items() if name not in hidden}
            for row in context["rows"]
        ]
        facts["teams"] = context["teams"]
        facts["to_relock"] = context["to_relock"]
    return facts
