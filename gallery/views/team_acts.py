"""What is done with a team: changed, added to, taken out of, left, deleted."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from accounts.keys.names import certified_name
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in, unlocked
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from gallery import presenting, team_pages
from gallery.access import membership_of
from gallery.already import members_in_words
from gallery.answers import answers_team_refusals
from gallery.errors import NotAllowed, NotARecipient
from gallery.invitation_forms import InviteForm
from gallery.invitation_keys import InvitationKey
from gallery.models import Member
from gallery.opening import Opener
from gallery.services import many
from gallery.services.circles import deleting, making, rekeying, sharing
from gallery.services.circles.ended import rekey_ended
from gallery.services.ended import relock_ended
from gallery.services.invitations.making import NewInvitation
from gallery.services.sharing import Shared
from gallery.services.teams import TEAM, leave_team
from gallery.team_forms import MembersForm, TeamForm
from gallery.views import invitations
from gallery.views.checking import ASK, CHANGE, DO, check_access, step_of
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    open_invitations,
    own_invitation,
    person_named,
    record_refused,
    settle_contacts,
    usernames_of,
)
from gallery.views.teams import team_page


def _require_owner(request: PersonRequest, team_id: uuid.UUID) -> Member:
    member = membership_of(team_id, reader=request.user, kind=TEAM)
    if member.circle.owner_id != request.user.pk:
        raise NotAllowed
    return member


@require_POST
@unlocked
@answers_team_refusals
def edit(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    member, form = _require_owner(request, team_id), TeamForm(request.POST)
    if not form.is_valid():
        context = {} if wants_json(request) else team_page(request, member, edit_form=form)
        return form_refusal(request, form, "gallery/team.html", context)
    making.change_circle(keyring=open_keys(request), circle_id=team_id, kind=TEAM, **form.wished)
    if wants_json(request):
        return JsonResponse(form.cleaned_data)
    messages.success(request, _("The team is changed."))
    return redirect("gallery:team", team_id)


@require_POST
@unlocked
@answers_team_refusals
def share(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    """Add people, also somebody without an account: they open at once what the team was given."""
    member = _require_owner(request, team_id)
    count_names(request)
    invites = bool(request.POST.get("invite-display_name", "").strip())
    form = MembersForm(request.POST, owner=request.user, invites=invites)
    invite_form = InviteForm(request.POST if invites else None, prefix="invite")
    step = step_of(request, unless_said=DO)
    if step == CHANGE:
        context = team_page(request, member, form=form, invite_form=invite_form)
        return render(request, "gallery/team.html", context)
    if not form.is_valid() or (invites and not invite_form.is_valid()):
        return _not_added(request, member, form, invite_form)
    try:
        settle_contacts(request, form)
        keys, new = open_invitations(request, form), None
        if step == ASK:
            return _check(request, member, form, invite_form if invites else None)
        if invites:
            new = invitations.invite(request, invite_form)
        shared = _share(request, team_id, form, [*keys, new.key] if new else keys, new)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _not_added(request, member, form, invite_form)
    except ValidationError as error:  # people do not invite here
        invite_form.add_error(None, error)
        return _not_added(request, member, form, invite_form)
    if new:
        back = presenting.address("team", team_id), _("Back to the team")
        return invitations.made_answer(request, new, back=back, **_shared_json(shared))
    if wants_json(request):
        return JsonResponse(_shared_json(shared))
    _tell_shared(request, shared)
    return redirect("gallery:team", team_id)


@sensitive_variables()
def _share(
    request: PersonRequest,
    team_id: uuid.UUID,
    form: MembersForm,
    keys: list[InvitationKey],
    new: NewInvitation | None,
) -> Shared[Member]:
    with invitations.taken_back_if_it_fails(new, request.user):
        return sharing.share_circle(
            keyring=open_keys(request),
            circle_id=team_id,
            recipients=form.cleaned_data["recipients"],
            terms=form.terms,
            invitations=keys,
            kind=TEAM,
        )


def _shared_json(shared: Shared[Member]) -> dict[str, list[str]]:
    rows = {
        "added": shared.added,
        "changed": shared.changed,
        "unchanged": shared.unchanged,
        "waiting": shared.waiting,
    }
    names = {word: usernames_of(rows[word]) for word in rows}
    return {**names, "invited": [str(row.invitation_id) for row in shared.invited]}


def _tell_shared(request: PersonRequest, shared: Shared[Member]) -> None:
    if here := [one for one in shared.touched + shared.unchanged if one not in shared.waiting]:
        sentence = _("%(names)s can open what was and will be shared with this team.")
        messages.success(request, sentence % {"names": _names(here)})
    if shared.invited:
        sentence = _("The people you invited are in the team once they use their links.")
        messages.success(request, sentence)
    if shared.waiting:
        sentence = _(
            "%(names)s cannot open anything of the team yet: they need new keys first. Then “My "
            "images” asks you to share again, with one click."
        )
        messages.warning(request, sentence % {"names": _names(shared.waiting)})


def _not_added(
    request: PersonRequest, member: Member, form: MembersForm, invite_form: InviteForm
) -> HttpResponse:
    record_refused(request, Event.IMAGE_SHARE_REFUSED, form, member.circle_id)
    if wants_json(request):
        errors = {**form.errors.get_json_data(), **invitations.prefixed_errors(invite_form)}
        return JsonResponse({"errors": errors}, status=422)
    context = team_page(request, member, form=form, invite_form=invite_form)
    return form_refusal(request, form, "gallery/team.html", context)


def _check(
    request: PersonRequest, member: Member, form: MembersForm, invite_form: InviteForm | None
) -> HttpResponse:
    team, opener = member.circle, Opener(open_keys(request))
    chosen = [reader.user for reader in form.cleaned_data["recipients"]]
    others = members_in_words(team, opener, besides=chosen)
    return check_access(
        request,
        form,
        "gallery/check_team.html",
        invite_form=invite_form,
        circles=[(name, 1) for name in others],
        action=(action := reverse("gallery:share-team", args=[team.pk])),
        change=f"{action}#add",
        cancel=presenting.address("team", team.pk),
        title=opener.details(member)["title"],
    )


def _names(members: list[Member]) -> str:
    return ", ".join(str(certified_name(member.reader)) for member in members if member.reader)


@require_POST
@unlocked
@answers_team_refusals
def revoke(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    """Take somebody out; what is the owner's own gets new keys and locks at once, as much as fits
    into the time of a request."""
    member, keyring = _require_owner(request, team_id), open_keys(request)
    try:
        if "invitation" in request.POST:
            return _end_invited(request, team_id)
        person = person_named(request.POST.get("recipient", ""))
        ended = rekeying.revoke_member(
            keyring=keyring, circle_id=team_id, recipient=person, kind=TEAM
        )
    except NotARecipient:
        sentence = _("This person is not in this team.")
        if wants_json(request):
            errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
            return JsonResponse({"errors": errors}, status=422)
        context = team_page(request, member, revoke_error=sentence)
        return render(request, "gallery/team.html", context, status=422)
    rekey_ended(keyring, seconds=many.SECONDS / 2)
    relock_ended(keyring, seconds=many.SECONDS / 2)
    left = team_pages.things_to_relock(team_id)
    if wants_json(request):
        name = certified_name(person).username
        return JsonResponse({"recipient": name, "ended_at": ended.ended_at, "to_relock": left})
    sentence = _("%(name)s is out of the team.") % {"name": certified_name(person)}
    messages.success(request, sentence)
    if left:
        waits = ngettext(
            "%(count)s image or album still waits for its new key.",
            "%(count)s images and albums still wait for their new keys.",
            left,
        )
        messages.info(request, waits % {"count": left})
    return redirect("gallery:team", team_id)


def _end_invited(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    keyring, invitation = open_keys(request), own_invitation(request)
    rekeying.end_invited_member(keyring=keyring, circle_id=team_id, invitation=invitation)
    rekey_ended(keyring, seconds=many.SECONDS / 2)
    relock_ended(keyring, seconds=many.SECONDS / 2)
    if wants_json(request):
        left = team_pages.things_to_relock(team_id)
        return JsonResponse({"invitation": str(invitation.pk), "to_relock": left})
    messages.success(request, _("The invitation does not lead into this team any more."))
    return redirect("gallery:team", team_id)


@require_POST
@signed_in
@answers_team_refusals
def leave(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    leave_team(person=request.user, team_id=team_id)
    if wants_json(request):
        return JsonResponse({"left": str(team_id)})
    messages.success(request, _("You have left the team."))
    return redirect("gallery:shared-with-me")


@require_POST
@unlocked
@answers_team_refusals
def delete(request: PersonRequest, team_id: uuid.UUID) -> HttpResponse:
    deleting.delete_circle(keyring=open_keys(request), circle_id=team_id, kind=TEAM)
    if wants_json(request):
        return JsonResponse({"deleted": str(team_id)})
    messages.success(request, _("The team is deleted. Images stay with their owners."))
    return redirect("gallery:teams")
