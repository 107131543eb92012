"""A selection of originals, or those of an album, as one ZIP."""

import uuid
from collections.abc import Generator, Iterable
from functools import partial
from http import HTTPStatus

from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.web.answers import form_refusal, refusal, refusal_json, wants_json
from accounts.web.decorators import unlocked_for_bytes
from accounts.web.requests import PersonRequest
from accounts.web.unlocking import keyring_now
from gallery.access import membership_of
from gallery.album_cards import live_placements
from gallery.answers import answers_album_refusals, answers_refusals
from gallery.forms import SelectionForm
from gallery.room import take_stream
from gallery.views.common import ALONE
from gallery.views.sending import in_this_request
from gallery.zipping import LeftOut, Zip

RETRY_AFTER_SECONDS = 10


@require_POST
@unlocked_for_bytes
@answers_refusals
def zip_of_selection(request: PersonRequest) -> HttpResponseBase:
    form = SelectionForm(request.POST)
    if not form.is_valid():
        shown = {
            "title": _("That did not work"),
            "message": " ".join(map(str, form.errors["images"])),
        }
        return form_refusal(request, form, "refusal.html", shown)
    return zip_of(request, form.cleaned_data["images"])


@require_POST
@unlocked_for_bytes
@answers_album_refusals
def zip_of_album(request: PersonRequest, album_id: uuid.UUID) -> HttpResponseBase:
    membership_of(album_id, reader=request.user)
    placed = live_placements(album_id).order_by("-granted_at", "pk")
    return zip_of(request, placed.values_list("image", flat=True))


def zip_of(request: PersonRequest, image_ids: Iterable[uuid.UUID]) -> HttpResponseBase:
    """Answer with the originals of these images that this person may download."""
    take_stream(request)
    selected = Zip(
        reader=request.user,
        image_ids=image_ids,
        keyring_now=partial(keyring_now, request),
    )
    pieces = in_this_request(selected.pieces())
    first = next(pieces, None)  # verified and recorded by now, or there is nothing to answer with
    if first is None:
        return _nothing_to_download(request, selected.left_out)
    return StreamingHttpResponse(
        _joined(first, pieces),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="images-{timezone.localdate()}.zip"',
            "Content-Security-Policy": ALONE,
            "Cache-Control": "private, no-store",
        },
    )


def _joined(first: bytes, others: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    yield first
    yield from others


def _nothing_to_download(request: PersonRequest, left_out: list[LeftOut]) -> HttpResponse:
    """Say why each image was left out, instead of a ZIP that holds nothing else."""
    reasons = list(dict.fromkeys(one.refusal.sentence for one in left_out))
    sentence = _("Nothing you selected can be downloaded.")
    if len(reasons) == 1:
        sentence = f"{sentence} {reasons[0]}"
    is_busy = all(one.refusal.status == HTTPStatus.SERVICE_UNAVAILABLE for one in left_out)
    status, code = (503, "busy") if is_busy else (409, "nothing_to_download")
    if wants_json(request):
        named = [
            {"id": str(one.image_id), "code": one.refusal.code, "message": one.refusal.sentence}
            for one in left_out
        ]
        said = {**refusal_json(code, sentence), "left_out": named}
        response: HttpResponse = JsonResponse(said, status=status)
    else:
        title = _("Nothing to download")
        response = refusal(request, status, code, sentence, context={"title": title})
    if is_busy:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
