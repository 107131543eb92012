"""Putting images of one's own into an album, and taking them out, one or many."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.web.answers import form_refusal, wants_json
from accounts.web.requests import PersonRequest, open_keys
from gallery import outcomes, presenting
from gallery.access import membership_of
from gallery.album_cards import albums_to_add_to
from gallery.album_forms import ChosenAlbumForm
from gallery.already import album_in_words
from gallery.answers import answers_album_refusals
from gallery.models import Placement
from gallery.opening import Opener
from gallery.releases import record_album, record_titles
from gallery.services import many
from gallery.services.circles import making, placing
from gallery.views.checking import ASK, CHANGE, DO, step_of
from gallery.views.selecting import (
    Images,
    answer,
    cards_of,
    check_images,
    earlier_of,
    is_still_open,
    of_own_images,
    selection,
    told_json,
    told_of,
)

Act = Callable[[uuid.UUID], list[Placement]]


@of_own_images
@answers_album_refusals
def add(request: PersonRequest, images: Images, album_id: uuid.UUID) -> HttpResponse:
    step = step_of(request, unless_said=DO)
    placing.require_place(open_keys(request), album_id)
    return _ask(request, images, album_id) if step == ASK else place_all(request, images, album_id)


@of_own_images
@answers_album_refusals
def remove(request: PersonRequest, images: Images, album_id: uuid.UUID) -> HttpResponse:
    membership_of(album_id, reader=request.user)
    keyring = open_keys(request)

    def act(image_id: uuid.UUID) -> list[Placement]:
        return [placing.take_out(keyring=keyring, circle_id=album_id, image_id=image_id)]

    return _do_all(request, "take-out", album_id, images, act, outcomes.tell_taken_out)


@of_own_images
@answers_album_refusals
def choose_album(request: PersonRequest, images: Images) -> HttpResponse:
    """Ask which album, or for the title of a new one; then put the images into it."""
    step = step_of(request, unless_said=DO)
    form = ChosenAlbumForm(request.POST if {"album", "title"} & request.POST.keys() else None)
    if step == CHANGE or not form.is_valid():
        return _choose_page(request, images, form)
    keyring, album_id = open_keys(request), form.chosen
    if album_id is None:
        title = form.cleaned_data["title"]
        album = making.make_circle(keyring=keyring, title=title, description="", members_add=False)
        return place_all(request, images, album.pk, status=201)
    placing.require_place(keyring, album_id)
    return _ask(request, images, album_id) if step == ASK else place_all(request, images, album_id)


def _ask(request: PersonRequest, images: Images, album_id: uuid.UUID) -> HttpResponse:
    """Answer with who will be able to open these images through the album; put them into it if that
    is nobody else."""
    opener = Opener(open_keys(request))
    album = album_in_words(album_id, opener, reader=request.user)
    if not album.is_shared:
        return place_all(request, images, album_id)
    record_album(request.user, album_id)
    return check_images(
        request,
        None,
        images,
        template="gallery/check_place.html",
        action=request.path,
        change=reverse("gallery:add-to-album"),
        album=album,
    )


def _choose_page(request: PersonRequest, images: Images, form: ChosenAlbumForm) -> HttpResponse:
    albums = albums_to_add_to(request.user, Opener(open_keys(request)))
    if albums:
        record_titles(request.user, [album.id for album in albums])
    context: dict[str, Any] = {**selection(request, images), "albums": albums}
    if form.errors:
        return form_refusal(request, form, "gallery/choose_album.html", context)
    return render(request, "gallery/choose_album.html", {**context, "form": form})


def place_all(
    request: PersonRequest, images: Images, album_id: uuid.UUID, *, status: int = 200
) -> HttpResponse:
    """Put some of these images into the album; answer with what happened, and what is left."""
    keyring = open_keys(request)

    def act(image_id: uuid.UUID) -> list[Placement]:
        return [placing.place_image(keyring=keyring, circle_id=album_id, image_id=image_id)]

    return _do_all(request, "place", album_id, images, act, outcomes.tell_placed, status=status)


def _do_all(
    request: PersonRequest,
    verb: str,
    album_id: uuid.UUID,
    images: Images,
    act: Act,
    tell: Callable[[list[Placement]], outcomes.Told],
    *,
    status: int = 200,
) -> HttpResponse:
    earlier = earlier_of(request, f"{verb} {album_id}", [])
    cards = cards_of(request, images[: many.AT_ONCE])
    done = many.one_after_another(images, act, may_go_on=partial(is_still_open, request))
    told = told_of(request, done, cards, tell)
    if wants_json(request):
        album = {"id": str(album_id), "url": presenting.address("album", album_id)}
        return JsonResponse({**album, **told_json(images, told)}, status=status)
    # What is left of the images goes into this one, and into no other new one.
    more = [("album", str(album_id))]
    return answer(request, f"{verb} {album_id}", images, earlier, told, [], more=more)
