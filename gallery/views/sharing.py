"""Sharing, revoking, deleting: an owner's acts on one image."""

import uuid

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.keys.names import certified_name, find_person
from accounts.models import User
from accounts.usernames import fold, is_well_formed
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from audit.unreadable import as_id
from gallery import presenting
from gallery.access import access_to
from gallery.answers import answers_refusals
from gallery.errors import NotARecipient
from gallery.forms import ShareForm, TermsForm
from gallery.ledger import Ledger
from gallery.models import Grant
from gallery.services import deleting, revoking, sharing
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    image_page,
    record_refused,
    settle_contacts,
)


@require_POST
@unlocked
@answers_refusals
def share(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access_to(image_id, reader=request.user).require_owner()
    count_names(request)
    form = ShareForm(request.POST, owner=request.user)
    if not form.is_valid():
        return _invalid(request, image_id, form)
    try:
        settle_contacts(request, form)
        shared = sharing.share_image(
            keyring=open_keys(request),
            image_id=image_id,
            recipients=form.cleaned_data["recipients"],
            terms=form.terms,
        )
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _invalid(request, image_id, form)
    if wants_json(request):
        grants = {
            "added": shared.added,
            "changed": shared.changed,
            "unchanged": shared.unchanged,
            "waiting": shared.waiting,
        }
        names = {word: [grant.reader.username for grant in grants[word]] for word in grants}
        return JsonResponse(names)
    _tell_shared(request, shared)
    return redirect("gallery:image", image_id)


def _tell_shared(request: PersonRequest, shared: sharing.Shared[Grant]) -> None:
    waiting = shared.waiting
    can_open = [grant for grant in shared.touched + shared.unchanged if grant not in waiting]
    if can_open:
        names = ", ".join(str(certified_name(grant.reader)) for grant in can_open)
        messages.success(request, _("%(names)s can open this image.") % {"names": names})
    if waiting:
        names = ", ".join(str(certified_name(grant.reader)) for grant in waiting)
        sentence = _(
            "%(names)s cannot open this image yet: they need new keys first. Then “My images” asks "
            "you to share again, with one click."
        )
        messages.warning(request, sentence % {"names": names})


def _invalid(request: PersonRequest, image_id: uuid.UUID, form: TermsForm) -> HttpResponse:
    record_refused(request, Event.IMAGE_SHARE_REFUSED, form, image_id)
    access = access_to(image_id, reader=request.user)
    context = {} if wants_json(request) else image_page(request, access, form)
    return form_refusal(request, form, "gallery/image.html", context)


@require_POST
@unlocked
@answers_refusals
def revoke(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    try:
        recipient = person_named(request.POST.get("recipient", ""))
        grant = revoking.revoke(keyring=open_keys(request), image_id=image_id, recipient=recipient)
    except NotARecipient:
        sentence = _("This person has no access to this image.")
        if wants_json(request):
            errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
            return JsonResponse({"errors": errors}, status=422)
        context = {**image_page(request, access), "revoke_error": sentence}
        return render(request, "gallery/image.html", context, status=422)
    ledger = Ledger(image_id)
    if wants_json(request):
        return JsonResponse(presenting.receipt_json(grant, ledger))
    messages.success(request, presenting.receipt_sentence(grant, ledger))
    return redirect("gallery:image", image_id)


def person_named(name: str) -> User:
    """Return the person of a certified username, or of an id: an owner can take access back from
    somebody whose name does not verify, too, and while the trail does not answer."""
    by_id = None if is_well_formed(fold(name)) else as_id(name)
    person = User.objects.filter(pk=by_id).first() if by_id else find_person(name)
    if person is None:
        raise NotARecipient
    return person


@require_POST
@unlocked
@answers_refusals
def delete(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    deleting.delete_image(keyring=open_keys(request), image_id=image_id)
    if wants_json(request):
        return JsonResponse({"deleted": str(image_id)})
    messages.success(request, _("The image is deleted, for everybody."))
    return redirect("gallery:mine")
