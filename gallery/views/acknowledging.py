"""Confirming that an image was received: its reader's act."""

import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.web.answers import wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.acknowledgements import Receipt
from gallery.answers import answers_refusals
from gallery.services.acknowledging import acknowledge_image


@require_POST
@unlocked
@answers_refusals
def acknowledge(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    acknowledged = acknowledge_image(keyring=open_keys(request), image_id=image_id)
    if wants_json(request):
        return JsonResponse({"acknowledged": presenting.acknowledged_json(acknowledged)})
    if acknowledged.state == Receipt.GENUINE:
        messages.success(request, _("Your confirmation is signed. The owner can see it."))
    return redirect("gallery:image", image_id)
