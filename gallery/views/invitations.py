"""One's own invitations: made, listed, taken back, and whoever claims one."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts import policy, throttle
from accounts.keys.certificates import NoKeys
from accounts.keys.names import certified_name, prefetch_names
from accounts.keys.pins import ContactsRefused, KeyChanged
from accounts.keys.recipients import find_people
from accounts.models import User
from accounts.views.common import posted
from accounts.web.answers import form_refusal, refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from accounts.web.unlocking import keyring_now
from gallery.answers import answers_refusals
from gallery.invitation_forms import InviteForm
from gallery.models import Invitation, SealedImage
from gallery.opening import Opener
from gallery.services.invitations import claiming, making, taking_back
from gallery.services.invitations.listing import ShownInvitation, shown_invitations
from gallery.services.invitations.mailing import mail_invitation
from gallery.services.invitations.making import NewInvitation
from gallery.services.many import one_after_another
from gallery.services.revoking import relock
from gallery.views.checking import ASK, CHANGE, DO, check_access, step_of


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
@answers_refusals
def invitations(request: PersonRequest) -> HttpResponse:
    form, step = InviteForm(posted(request)), step_of(request, unless_said=DO)
    if request.method != "POST" or step == CHANGE:
        return _list(request, form)
    if step == ASK and form.is_valid():
        here = reverse("gallery:invitations")
        template = "gallery/check_invitation.html"
        return check_access(request, None, template, invite_form=form, action=here, cancel=here)
    try:
        new = invite(request, form) if form.is_valid() else None
    except ValidationError as error:
        form.add_error(None, error)
        new = None
    if new is None:
        context = {} if wants_json(request) else _list_context(request, form)
        return form_refusal(request, form, "gallery/invitations.html", context)
    return made_answer(request, new)


def _list(request: PersonRequest, form: InviteForm) -> HttpResponse:
    context = _list_context(request, form)
    if wants_json(request):
        return JsonResponse({"invitations": [_as_json(row) for row in context["invitations"]]})
    return render(request, "gallery/invitations.html", context)


def _list_context(request: PersonRequest, form: InviteForm) -> dict[str, Any]:
    shown = shown_invitations(Opener(open_keys(request)), request.user)
    prefetch_names(user for one in shown for user in (one.person, one.claimant) if user)
    images = SealedImage.objects.in_bulk({pk for one in shown for pk in one.images})
    return {
        "form": form,
        "may_invite": policy.people_may_invite(),
        "invitations": [_row(one, images) for one in shown],
    }


def _row(shown: ShownInvitation, images: dict[uuid.UUID, SealedImage]) -> dict[str, Any]:
    return {
        "invitation": shown.invitation,
        "state": shown.state,
        "is_open": shown.is_open,
        "details": shown.details,
        "images": [images[pk] for pk in shown.images],
        "person": certified_name(shown.person) if shown.person else None,
        "claimant": certified_name(shown.claimant) if shown.claimant else None,
    }


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    invitation, details = row["invitation"], row["details"]
    return {
        "id": str(invitation.pk),
        "state": row["state"],
        "display_name": details.display_name if details else None,
        "email": details.email if details else None,
        "spoken_code": invitation.code_salt is not None,
        "made_at": invitation.made_at,
        "ends_at": invitation.ends_at,
        "images": [str(image.pk) for image in row["images"]],
        "accepted_by": row["person"].username if row["person"] else None,
        "claimed_by": row["claimant"].username if row["claimant"] else None,
    }


@sensitive_variables()
def invite(request: PersonRequest, form: InviteForm) -> NewInvitation:
    """Make the invitation that a valid form describes. Raises ValidationError or Throttled."""
    person, limit = str(request.user.pk), settings.INVITATIONS_PER_HOUR
    throttle.count("invitations", person, limit=limit)
    return making.make_invitation(
        keyring=open_keys(request),
        details=form.details,
        spoken_code=form.cleaned_data["spoken_code"],
        lasts=form.lasts,
    )


def prefixed_errors(form: InviteForm) -> dict[str, Any]:
    return {form.add_prefix(name): errors for name, errors in form.errors.get_json_data().items()}


@contextmanager
def taken_back_if_it_fails(new: NewInvitation | None, by: User) -> Iterator[None]:
    """Take an invitation back if it does not come to carry what it was made for: nobody was shown
    its link."""
    try:
        yield
    except Exception:
        if new:
            taking_back.take_back(invitation=new.invitation, by=by)
        raise


@sensitive_variables()
def made_answer(
    request: PersonRequest,
    new: NewInvitation,
    *,
    back: tuple[str, str] | None = None,
    **facts: Any,
) -> HttpResponse:
    """Mail the link, and show it this once. `back`: the address of what was shared in the same act,
    and what its link says."""
    # From SITE_URL, never from what the request calls its host.
    link = settings.SITE_URL.rstrip("/") + reverse("gallery:invitation", args=[new.token])
    is_sent = mail_invitation(new, link)
    invitation = new.invitation
    if wants_json(request):
        about = {
            "id": str(invitation.pk),
            "link": link,
            "ends_at": invitation.ends_at,
            "mail_sent": is_sent,
        }
        return JsonResponse({"invitation": about, **facts}, status=201)
    context = {
        "name": new.details.display_name,
        "email": new.details.email,
        "invitation": invitation,
        "link": link,
        "is_sent": is_sent,
        "back": back,
    }
    return render(request, "gallery/invitation_made.html", context, status=201)


def of_own_invitation(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Hand the view one of its person's own invitations; 404 for any other, and for none."""

    @require_POST
    @unlocked
    @answers_refusals
    @wraps(view)
    def guarded(request: PersonRequest, invitation_id: uuid.UUID) -> HttpResponse:
        mine = Invitation.objects.filter(pk=invitation_id, inviter=request.user)
        found = mine.select_related("claimed_by").first()
        if found is None:
            sentence = _("This invitation is not available to you.")
            return refusal(request, 404, "not_found", sentence)
        return view(request, found)

    return guarded


@of_own_invitation
def take_back(request: PersonRequest, invitation: Invitation) -> HttpResponse:
    """What it carried gets new locks at once, as far as the time goes, and the rest on the next
    pages."""
    try:
        images = taking_back.take_back(invitation=invitation, by=request.user)
    except ValidationError as error:
        return refusal(request, 409, "not_open", str(error.message))
    keyring, relocked = open_keys(request), 0
    if images:
        done = one_after_another(
            images,
            lambda image_id: [relock(keyring=keyring, image_id=image_id)],
            may_go_on=lambda: keyring_now(request) is not None,
        )
        relocked = sum(one.refused is None for one in done)
    left = len(images) - relocked
    if wants_json(request):
        taken = {"taken_back": str(invitation.pk), "relocked": relocked, "left": left}
        return JsonResponse(taken)
    messages.success(request, _("The invitation is taken back. Its link opens nothing any more."))
    if left:
        sentence = ngettext(
            "%(count)s image is encrypted again while you use your next pages.",
            "%(count)s images are encrypted again while you use your next pages.",
            left,
        )
        messages.info(request, sentence % {"count": left})
    return redirect("gallery:invitations")


@of_own_invitation
def agree(request: PersonRequest, invitation: Invitation) -> HttpResponse:
    """Share with whoever claimed it. `person` is who was shown: it may be somebody else by now."""
    person = claiming.claimant_of(invitation)
    if person is None or certified_name(person).username != request.POST.get("person"):
        return _no_claim(request)
    try:
        (reader,) = find_people([person.username], besides=request.user)
        done = claiming.agree_to_claim(
            keyring=open_keys(request),
            invitation=invitation,
            reader=reader,
            may_go_on=lambda: keyring_now(request) is not None,
        )
    except (ValidationError, NoKeys):
        sentence = _("%(name)s cannot receive images right now. Nothing was shared.")
        return refusal(request, 409, "no_keys", sentence % {"name": certified_name(person)})
    refused = [one.refused for one in done if one.refused]
    if any(isinstance(error, KeyChanged | ContactsRefused) for error in refused):
        sentence = _(
            "Compare keys with %(name)s first: their key is not the one you compared, or your "
            "list of compared keys is not as you left it."
        )
        return refusal(request, 409, "key_changed", sentence % {"name": certified_name(person)})
    shared = len(done) - len(refused)
    left = len(claiming.carried_by(invitation))
    if wants_json(request):
        return JsonResponse({"shared": shared, "left": left})
    sentence = ngettext(
        "%(name)s can open %(count)s image.", "%(name)s can open %(count)s images.", shared
    )
    messages.success(request, sentence % {"name": certified_name(person), "count": shared})
    if left:
        messages.warning(request, _("Some images are left. Agree again to go on."))
    return redirect("gallery:invitations")


@of_own_invitation
def refuse(request: PersonRequest, invitation: Invitation) -> HttpResponse:
    if claiming.claimant_of(invitation) is None:
        return _no_claim(request)
    claiming.refuse_claim(invitation=invitation, by=request.user)
    if wants_json(request):
        return JsonResponse({"refused": str(invitation.pk)})
    messages.success(request, _("Nothing was shared. The link still works for somebody else."))
    return redirect("gallery:invitations")


def _no_claim(request: PersonRequest) -> HttpResponse:
    sentence = _("This person is not waiting for your answer any more. Nothing was changed.")
    return refusal(request, 409, "not_claimed", sentence)
