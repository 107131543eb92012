"""Editing an image's caption and description: its owner's act."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from gallery import presenting
from gallery.access import Access, access_to
from gallery.answers import answers_refusals
from gallery.errors import EditedMeanwhile
from gallery.forms import WordsForm
from gallery.models import Rendition
from gallery.releases import record_opening
from gallery.services.editing import Words, edit_words, words_of
from gallery.views.common import releases

TEMPLATE = "gallery/edit_words.html"


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
@answers_refusals
@sensitive_variables()
def edit(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    if request.method != "POST":
        return _shown(request, access)
    form = WordsForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        words = Words(said["caption"], said["alt_text"])
        try:
            edit_words(
                keyring=open_keys(request), image_id=image_id, words=words, seen=said["version"]
            )
        except EditedMeanwhile:
            return _changed_meanwhile(request, access, form)
        if wants_json(request):
            return JsonResponse(_json(words))
        messages.success(request, _("Saved. Everybody who can open the image sees it now."))
        return redirect("gallery:image", image_id)
    return form_refusal(request, form, TEMPLATE, _context(access, form.data.get("version", "")))


@sensitive_variables()
def _shown(request: PersonRequest, access: Access) -> HttpResponse:
    words = words_of(access, keyring=open_keys(request))
    if releases(request):
        record_opening(access, Rendition.Name.DESCRIPTION)
    if wants_json(request):
        return JsonResponse(_json(words))
    form = WordsForm(initial={"caption": words.caption, "alt_text": words.alt_text})
    return render(request, TEMPLATE, {"form": form, **_context(access, words.version)})


@sensitive_variables()
def _changed_meanwhile(request: PersonRequest, access: Access, form: WordsForm) -> HttpResponse:
    """Show what was typed beside what is stored by now: saving once more replaces it knowingly."""
    now = words_of(access, keyring=open_keys(request))
    record_opening(access, Rendition.Name.DESCRIPTION)
    sentence = _("You changed this elsewhere meanwhile. Nothing was saved; what you typed is here.")
    form.add_error(None, ValidationError(sentence, code="edited_meanwhile"))
    return form_refusal(request, form, TEMPLATE, {**_context(access, now.version), "now": now})


def _context(access: Access, version: str) -> dict[str, Any]:
    image_id = access.image.pk
    return {
        "image_url": presenting.address("image", image_id),
        "version": version,
    }


def _json(words: Words) -> dict[str, str]:
    return {"caption": words.caption, "alt_text": words.alt_text, "version": words.version}
