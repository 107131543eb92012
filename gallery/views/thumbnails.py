"""The thumbnails of a page in one answer: docs/http.md, "Thumbnails in one answer"."""

import json
import uuid
from collections.abc import Iterator, Mapping

from django.http import HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST

from accounts.web.answers import form_refusal
from accounts.web.decorators import unlocked_for_bytes
from accounts.web.requests import PersonRequest, open_keys
from gallery.access import Access, access_to, asked_about, live_accesses_to, still_live
from gallery.answers import answers_refusals
from gallery.forms import ThumbnailsForm
from gallery.models import Rendition
from gallery.opening import Opened, Opener, settled
from gallery.refusals import REFUSALS, refusal_for
from gallery.releases import record_thumbnails_once
from gallery.room import take_room
from gallery.views.common import ALONE

LENGTH_BYTES = 4  # of the length of a part's head, big-endian
Head = dict[str, str | int]


@require_POST
@unlocked_for_bytes
@answers_refusals
def thumbnails(request: PersonRequest) -> HttpResponseBase:
    """Each is verified, and all are recorded, before the first byte leaves. What cannot be opened
    keeps no other from being seen."""
    form = ThumbnailsForm(request.POST)
    if not form.is_valid():
        return form_refusal(request, form, "gallery/not_selected.html")
    image_ids = form.cleaned_data["images"]
    opened = _opened_together(request, image_ids)
    parts = [piece for one in image_ids for piece in _part(one, opened[one])]
    length = sum(map(len, parts))
    take_room(request, length)
    seen = [one for one in image_ids if isinstance(opened[one], Opened)]
    record_thumbnails_once(request.user, seen)
    return StreamingHttpResponse(
        parts,
        content_type="application/octet-stream",
        headers={
            "Content-Length": str(length),
            "Content-Security-Policy": ALONE,
            "Cache-Control": "private, no-store",
        },
    )


def _opened_together(
    request: PersonRequest, image_ids: list[uuid.UUID]
) -> dict[uuid.UUID, Opened | str]:
    """Return of each a verified thumbnail, or the code of why there is none.

    What is fetched for all of them is as old as the first by the time the last was read. So the
    rows are asked once more: an access that ended meanwhile gives nothing.
    """
    accesses = live_accesses_to(image_ids, reader=request.user)
    opener = Opener(open_keys(request))
    opener.prepare(asked_about(accesses.values()))
    opened = {one: _opened(request, opener, one, accesses) for one in image_ids}
    live = still_live(accesses.values())
    ended = [one for one in image_ids if isinstance(opened[one], Opened) and one not in live]
    return opened | {one: _opened(request, Opener(open_keys(request)), one, {}) for one in ended}


def _opened(
    request: PersonRequest,
    opener: Opener,
    image_id: uuid.UUID,
    accesses: Mapping[uuid.UUID, Access],
) -> Opened | str:
    """Return a verified thumbnail, or the code of why there is none."""
    try:
        access = accesses.get(image_id) or access_to(image_id, reader=request.user)
        return settled(opener, access, lambda now: opener.open(now, Rendition.Name.THUMBNAIL))
    except tuple(REFUSALS) as error:
        refused = refusal_for(error)
        refused.record(request.user.pk, image_id)
        return refused.code


def _part(image_id: uuid.UUID, opened: Opened | str) -> Iterator[bytes]:
    if isinstance(opened, str):
        yield _head({"id": str(image_id), "code": opened})
        return
    picture = opened.plaintext()
    yield _head({"id": str(image_id), "media_type": opened.media_type, "length": len(picture)})
    yield picture


def _head(facts: Head) -> bytes:
    head = json.dumps(facts).encode()
    return len(head).to_bytes(LENGTH_BYTES, "big") + head
