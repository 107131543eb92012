"""One image: its page, and its verified, decrypted bytes."""

import uuid
from collections.abc import Generator, Iterator
from http import HTTPStatus
from typing import Any

from django.db import close_old_connections
from django.http import (
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.answers import wants_json
from accounts.web.decorators import unlocked, unlocked_for_bytes
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.access import Access, access_to
from gallery.answers import answers_refusals
from gallery.models import Grant, Rendition
from gallery.opening import Opened, Opener, settled
from gallery.refusals import REFUSALS, refusal_for
from gallery.releases import record_opening
from gallery.room import MOST_UNSENT_BYTES, at_the_readers_pace, take_room
from gallery.views.common import ALONE, image_page, releases
from gallery.views.ranges import part_asked_for
from gallery.views.sending import in_this_request
from gallery.views.walking import announced, walk_of


@require_safe
@unlocked
@answers_refusals
def image(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    context = image_page(request, access_to(image_id, reader=request.user))
    if wants_json(request):
        return JsonResponse(_image_json(context))
    context["walk"] = walk = walk_of(request, image_id)
    owner = None if context["is_owner"] else context["owner"].display_name
    context["announcement"] = announced(walk, owner=owner)
    return render(request, "gallery/image.html", context)


def _image_json(context: dict[str, Any]) -> dict[str, Any]:
    owner, verdict = context["owner"], context["verdict"]
    facts = {
        **context["image"],
        "owner": {"username": owner.username, "display_name": owner.display_name},
        "rights": context["rights"],
        "ends_at": context["ends_at"],
        "keep_until": context["keep_until"],
        "verdict": {name: verdict[name] for name in ("code", "sentence", "signed_at", "older_key")},
        "fingerprint": verdict["fingerprint"].replace(" ", "").lower(),
    }
    sealer = context["sealed_by"]
    facts["sealed_by"] = sealer and {
        "username": sealer.username,
        "display_name": sealer.display_name,
    }
    if "rows" in context:
        facts["albums"] = context["albums"]
        facts["people"] = [_person_json(row) for row in context["rows"]]
        facts["invited"] = context["invited"]
        facts["teams"] = context["teams"]
    else:
        facts["acknowledged"] = presenting.acknowledged_json(context["acknowledged"])
    return facts


def _person_json(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: fact for name, fact in row.items() if name not in ("initials", "avatar_class")}
    return {**facts, "acknowledged": presenting.acknowledged_json(row["acknowledged"])}


@require_safe
@unlocked_for_bytes
@answers_refusals
def original(request: PersonRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.ORIGINAL)


@require_safe
@unlocked_for_bytes
@answers_refusals
def preview(request: PersonRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.PREVIEW)


@require_safe
@unlocked_for_bytes
@answers_refusals
def thumbnail(request: PersonRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.THUMBNAIL)


def _open(opener: Opener, access: Access, rendition: str) -> tuple[Opened, str | None]:
    """Return it and, of an original, under what name it is saved. Ask for the right of the very row
    that is then verified: settled() may read it once more."""
    if rendition != Rendition.Name.ORIGINAL:
        return opener.open(access, rendition), None
    access.require(Grant.Rights.DOWNLOAD)
    opened = opener.open(access, rendition)
    return opened, presenting.saved_name(opener, access, opened.media_type)


def _bytes(request: PersonRequest, image_id: uuid.UUID, rendition: str) -> HttpResponseBase:
    """Answer with verified, decrypted bytes; recorded before the first one leaves."""
    access, opener = access_to(image_id, reader=request.user), Opener(open_keys(request))
    opened, name = settled(opener, access, lambda access: _open(opener, access, rendition))
    part = part_asked_for(request, opened.length_bytes, opened.tag)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": opened.tag,
        "Cache-Control": "private, no-store",
        **part.headers,
    }
    if part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return HttpResponse(status=part.status, headers=headers)
    if releases(request):
        take_room(request, min(part.length, MOST_UNSENT_BYTES))
        record_opening(access, rendition)
        pieces = in_this_request(_noticed(request, image_id, opened.chunks(part.start, part.stop)))
        body = at_the_readers_pace(request, pieces)
    else:
        body = iter(())
    return StreamingHttpResponse(
        body,
        status=part.status,
        content_type=opened.media_type,
        headers={
            "Content-Length": str(part.length),
            "Content-Disposition": presenting.disposition(name),
            "Content-Security-Policy": ALONE,
            **headers,
        },
    )


def _noticed(
    request: PersonRequest, image_id: uuid.UUID, pieces: Iterator[bytes]
) -> Generator[bytes, None, None]:
    """Yield the pieces. What keeps the next from leaving is recorded like any refusal: the answer,
    whose head is gone, can only end short."""
    try:
        yield from pieces
    except tuple(REFUSALS) as error:
        close_old_connections()  # of this thread, which may have served nobody for long
        refusal_for(error).record(request.user.pk, image_id)
        raise
