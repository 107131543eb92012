"""What became of an upload: its images as they are stored, and who can open them."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.keys.names import certified_name, prefetch_names
from accounts.web.answers import wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.access import has_ended
from gallery.already import Named, circle_in_words, invited_to
from gallery.answers import answers_refusals
from gallery.errors import NotYours
from gallery.models import Circle, Grant, Placement, SealedImage
from gallery.opening import Opener
from gallery.services.many import readers_of
from gallery.views.selecting import Images, cards_of

PICTURES_SHOWN = 60


@require_safe
@unlocked
@answers_refusals
def uploaded(request: PersonRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Answer with the images of one upload, in the order in which they were chosen."""
    own = SealedImage.objects.filter(owner=request.user, upload_id=upload_id, deleted_at=None)
    images = list(own.order_by("upload_index").values_list("pk", flat=True))
    if not images:
        raise NotYours
    if wants_json(request):
        return JsonResponse({"images": [image_json(image_id) for image_id in images]})
    return render(request, "gallery/uploaded.html", result_page(request, images))


def image_json(image_id: uuid.UUID) -> dict[str, Any]:
    return {"id": str(image_id), "url": presenting.address("image", image_id)}


def result_page(
    request: PersonRequest,
    images: Images,
    *,
    refused: Sequence[str] = (),
    left_out: int = 0,
) -> dict[str, Any]:
    """Return what the page says of an upload: from what is stored and signed, not from what was
    asked for. `refused`: why other files are not among its images."""
    opener = Opener(open_keys(request))
    keyless = Grant.objects.filter(image__in=images, ended_at=None, wrapped_key=None)
    waiting = set(keyless.values_list("reader", flat=True))
    readers = readers_of(images[: settings.MAX_SELECTED], owner=request.user, opener=opener)
    prefetch_names(readers)
    named = [(certified_name(one).display_name, one.pk, len(of)) for one, of in readers.items()]
    held = [name for name, person, _n in sorted(named) if person in waiting]
    circles, albums = _circles(request, images, opener)
    can_open = [(name, n) for name, person, n in sorted(named) if person not in waiting] + circles
    cards = cards_of(request, images[:PICTURES_SHOWN])
    invited = [name for name, _n in invited_to(images, opener)]
    return {
        "count": len(images),
        "cards": [cards[image_id] for image_id in images if image_id in cards],
        "more": max(0, len(images) - PICTURES_SHOWN),
        "can_open": can_open,
        "names": ", ".join(name for name, _n in can_open),
        "differ": any(n != len(images) for _name, n in can_open),
        "waiting": held,
        "invited": invited,
        "is_draft": not (can_open or held or invited),
        "album": albums[0] if len(albums) == 1 else None,
        "left_out": left_out,
        "errors": refused,
    }


def _circles(
    request: PersonRequest, images: Images, opener: Opener
) -> tuple[Named, list[uuid.UUID]]:
    """Return the albums and teams these images are in, in words, and the ids of the albums."""
    placed = Placement.objects.filter(image__in=images, ended_at=None).select_related("circle")
    counted = Counter(row.circle for row in placed if not has_ended(row))
    named: Named = []
    for circle, n in counted.items():
        words = circle_in_words(circle, request.user, opener)
        if circle.kind == Circle.Kind.ALBUM:
            words = _("everybody who can open %(album)s") % {"album": words}
        named.append((words, n))
    return sorted(named), [circle.pk for circle in counted if circle.kind == Circle.Kind.ALBUM]
