"""What an image site without encryption does for the same page and the same bytes.

Same server, middleware, session, authorisation query and template; but captions are at hand and
files are plain: no keys, no signatures, no trail. They are in DATA_DIR/plain/<image id>/.
"""

import json
import uuid
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from PIL import Image

from accounts.web.decorators import signed_in
from benchmarks import unverified
from gallery import intake, presenting
from gallery.access import Access, access_to
from gallery.models import Grant
from gallery.paging import page_of
from gallery.views.lists import NEWEST_FIRST, PER_PAGE, grants_on
from imageshare.urls import urlpatterns as sealed_addresses

RENDITIONS = (
    ("preview", intake.PREVIEW_PIXELS, intake.PREVIEW_QUALITY),
    ("thumbnail", intake.THUMBNAIL_PIXELS, intake.THUMBNAIL_QUALITY),
)


@signed_in
def shared_with_me(request: HttpRequest) -> HttpResponse:
    grants = Grant.objects.filter(reader=request.user, ended_at=None)
    ids = grants.exclude(image__owner=request.user).order_by(*NEWEST_FIRST).values_list("pk")
    page = page_of(ids, PER_PAGE, None)
    accesses = [Access(request.user, grant) for grant in grants_on(pk for (pk,) in page)]
    cards = [_with_facts(card) for card in presenting.cards(accesses, None)]
    context = {"cards": cards, "page_obj": page, "unlocked": True}
    return render(request, "gallery/shared_with_me.html", context)


@signed_in
def upload(request: HttpRequest) -> JsonResponse:
    """Store the picture as it came, with a preview and a thumbnail as Pillow makes them."""
    file, folder = request.FILES["images"], _folder(uuid.uuid4())
    folder.mkdir(parents=True)
    with (folder / "original").open("wb") as stored:
        stored.writelines(file.chunks())
    with Image.open(folder / "original") as picture:
        for name, side, quality in RENDITIONS:
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            picture.convert("RGB").save(folder / name, "JPEG", quality=quality, optimize=True)
    return JsonResponse({"images": [{"id": folder.name}]}, status=201)


@signed_in
def rendition(request: HttpRequest, image_id: uuid.UUID, name: str) -> FileResponse:
    access_to(image_id, reader=request.user)
    return FileResponse((_folder(image_id) / name).open("rb"), content_type="image/jpeg")


def _with_facts(card: presenting.Card) -> presenting.Card:
    facts = json.loads((_folder(card.id) / "facts").read_bytes())
    return replace(card, thumbnail_url=f"/plain/{card.id}/thumbnail", state="verified", **facts)


def _folder(image_id: uuid.UUID) -> Path:
    return settings.DATA_DIR / "plain" / str(image_id)


urlpatterns = [
    *sealed_addresses,
    *unverified.urlpatterns,
    path("plain/", shared_with_me),
    path("plain/upload/", upload),
    path("plain/<uuid:image_id>/<slug:name>", rendition),
]
