"""Sharing, revoking, deleting: an owner's acts on one image."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from accounts.keys.names import certified_name
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from audit.unreadable import as_id
from gallery import presenting
from gallery.access import access_to
from gallery.answers import answers_refusals
from gallery.errors import NotARecipient
from gallery.forms import ImageShareForm, TermsForm
from gallery.invitation_forms import InviteForm
from gallery.invitation_keys import InvitationKey
from gallery.ledger import Ledger
from gallery.models import Grant
from gallery.services import deleting, revoking, sharing
from gallery.services.circles.placing import take_out
from gallery.services.invitations.making import NewInvitation
from gallery.services.teams import TEAM
from gallery.views import invitations
from gallery.views.checking import ASK, CHANGE, DO, step_of
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    image_page,
    open_invitations,
    own_invitation,
    person_named,
    record_refused,
    settle_contacts,
)
from gallery.views.selecting import check_images


@require_POST
@unlocked
@answers_refusals
def share(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access_to(image_id, reader=request.user).require_owner()
    count_names(request)
    invites = bool(request.POST.get("invite-display_name", "").strip())
    form = ImageShareForm(request.POST, owner=request.user, invites=invites)
    invite_form = InviteForm(request.POST if invites else None, prefix="invite")
    step = step_of(request, unless_said=DO)
    if step == CHANGE:
        access = access_to(image_id, reader=request.user)
        context = image_page(request, access, form, invite_form)
        return render(request, "gallery/image.html", context)
    if not form.is_valid() or (invites and not invite_form.is_valid()):
        return _invalid(request, image_id, form, invite_form)
    try:
        settle_contacts(request, form)
        keys, new = open_invitations(request, form), None
        if step == ASK:
            return _check(request, image_id, form, invite_form if invites else None)
        if invites:
            new = invitations.invite(request, invite_form)
        shared = _share(request, image_id, form, keys, new)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _invalid(request, image_id, form, invite_form)
    except ValidationError as error:  # people do not invite here
        invite_form.add_error(None, error)
        return _invalid(request, image_id, form, invite_form)
    if new:
        back = presenting.address("image", image_id), _("Back to the image")
        return invitations.made_answer(request, new, back=back, **_shared_json(shared))
    if wants_json(request):
        return JsonResponse(_shared_json(shared))
    _tell_shared(request, shared)
    return redirect("gallery:image", image_id)


def _check(
    request: PersonRequest, image_id: uuid.UUID, form: TermsForm, invite_form: InviteForm | None
) -> HttpResponse:
    action = reverse("gallery:share", args=[image_id])
    about = {"change": f"{action}#who", "cancel": presenting.address("image", image_id)}
    return check_images(request, form, [image_id], action=action, invite_form=invite_form, **about)


@sensitive_variables()
def _share(
    request: PersonRequest,
    image_id: uuid.UUID,
    form: ImageShareForm,
    keys: list[InvitationKey],
    new: NewInvitation | None,
) -> sharing.Shared[Grant]:
    with invitations.taken_back_if_it_fails(new, request.user):
        return sharing.share_image(
            keyring=open_keys(request),
            image_id=image_id,
            recipients=form.cleaned_data["recipients"],
            terms=form.terms,
            invitations=[*keys, new.key] if new else keys,
            teams=form.cleaned_data["teams"],
        )


def _shared_json(shared: sharing.Shared[Grant]) -> dict[str, list[str]]:
    grants = {
        "added": shared.added,
        "changed": shared.changed,
        "unchanged": shared.unchanged,
        "waiting": shared.waiting,
    }
    names = {word: [grant.reader.username for grant in grants[word]] for word in grants}
    return {
        **names,
        "invited": [str(row.invitation_id) for row in shared.invited],
        "teams": [str(row.holder[1]) for row in shared.teams],
    }


def _tell_shared(request: PersonRequest, shared: sharing.Shared[Grant]) -> None:
    waiting = shared.waiting
    can_open = [grant for grant in shared.touched + shared.unchanged if grant not in waiting]
    if can_open:
        names = ", ".join(str(certified_name(grant.reader)) for grant in can_open)
        messages.success(request, _("%(names)s can open this image.") % {"names": names})
    if shared.invited:
        sentence = _("The people you invited can open this image once they use their links.")
        messages.success(request, sentence)
    if shared.teams:
        sentence = _("Everybody in the team can open this image, and people who join it later.")
        messages.success(request, sentence)
    if waiting:
        names = ", ".join(str(certified_name(grant.reader)) for grant in waiting)
        sentence = _(
            "%(names)s cannot open this image yet: they need new keys first. Then “My images” asks "
            "you to share again, with one click."
        )
        messages.warning(request, sentence % {"names": names})


def _invalid(
    request: PersonRequest, image_id: uuid.UUID, form: TermsForm, invite_form: InviteForm
) -> HttpResponse:
    record_refused(request, Event.IMAGE_SHARE_REFUSED, form, image_id)
    if wants_json(request):
        errors = {**form.errors.get_json_data(), **invitations.prefixed_errors(invite_form)}
        return JsonResponse({"errors": errors}, status=422)
    access = access_to(image_id, reader=request.user)
    context = image_page(request, access, form, invite_form)
    return form_refusal(request, form, "gallery/image.html", context)


@require_POST
@unlocked
@answers_refusals
def revoke(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    try:
        if "invitation" in request.POST:
            return _end_invited(request, image_id)
        if "team" in request.POST:
            return _end_team(request, image_id)
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


def _end_team(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    team_id = as_id(request.POST["team"])
    if team_id is None:
        raise NotARecipient
    keyring = open_keys(request)
    ended = take_out(keyring=keyring, circle_id=team_id, image_id=image_id, kind=TEAM)
    if wants_json(request):
        return JsonResponse({"team": str(team_id), "ended_at": ended.ended_at})
    messages.success(request, _("The team can no longer open this image."))
    return redirect("gallery:image", image_id)


def _end_invited(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    keyring, invitation = open_keys(request), own_invitation(request)
    revoking.end_invited(keyring=keyring, image_id=image_id, invitation=invitation)
    if wants_json(request):
        return JsonResponse({"invitation": str(invitation.pk)})
    messages.success(request, _("The invitation does not open this image any more."))
    return redirect("gallery:image", image_id)


@require_POST
@unlocked
@answers_refusals
def delete(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    deleting.delete_image(keyring=open_keys(request), image_id=image_id)
    if wants_json(request):
        return JsonResponse({"deleted": str(image_id)})
    messages.success(request, _("The image is deleted, for everybody."))
    return redirect("gallery:mine")
