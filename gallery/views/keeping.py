"""Choosing until when an image is kept: its owner's act."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery.access import access_to
from gallery.answers import answers_refusals
from gallery.day_words import written
from gallery.forms import KeepForm
from gallery.services import keeping
from gallery.views.common import image_page


@require_POST
@unlocked
@answers_refusals
def keep(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    form = KeepForm(request.POST)
    if not form.is_valid():
        context = {} if wants_json(request) else image_page(request, access)
        return form_refusal(request, form, "gallery/image.html", {**context, "keep_form": form})
    until = form.cleaned_data["keep_until"]
    keeping.keep_until(keyring=open_keys(request), image_id=image_id, until=until)
    if wants_json(request):
        return JsonResponse({"keep_until": until})
    messages.success(request, _saved(until))
    return redirect("gallery:image", image_id)


def _saved(until: datetime | None) -> str:
    if until is None:
        return _("Saved. The image is kept until you delete it.")
    day = written(until, "DATETIME_FORMAT")
    return _("Saved. The image is deleted on %(day)s; its readers got a notice.") % {"day": day}
