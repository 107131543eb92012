"""What the owner of an album does with it: changing, sharing, taking members out, deleting."""

import uuid

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.keys.names import certified_name
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from audit.unreadable import as_id
from gallery import album_pages, presenting
from gallery.access import membership_of
from gallery.album_cards import live_placements, settled
from gallery.album_forms import AlbumForm
from gallery.already import members_in_words
from gallery.answers import answers_album_refusals
from gallery.errors import NotAllowed, NotARecipient
from gallery.forms import ImageShareForm, TermsForm
from gallery.models import Member
from gallery.opening import Opener
from gallery.releases import record_album
from gallery.services import many
from gallery.services.circles import deleting, making, rekeying, sharing
from gallery.services.ended import relock_ended
from gallery.services.sharing import Shared
from gallery.views.albums import album_page
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


@require_POST
@unlocked
@answers_album_refusals
def edit(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    member = _require_owner(request, album_id)
    form = AlbumForm(request.POST)
    if not form.is_valid():
        context = {} if wants_json(request) else album_page(request, member, edit_form=form)
        return form_refusal(request, form, "gallery/album.html", context)
    making.change_circle(keyring=open_keys(request), circle_id=album_id, **form.wished)
    if wants_json(request):
        return JsonResponse(form.wished)
    messages.success(request, _("The album is changed."))
    return redirect("gallery:album", album_id)


def _require_owner(request: PersonRequest, album_id: uuid.UUID) -> Member:
    member = membership_of(album_id, reader=request.user)
    if member.circle.owner_id != request.user.pk:
        raise NotAllowed
    return member


@require_POST
@unlocked
@answers_album_refusals
def share(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    member = _require_owner(request, album_id)
    count_names(request)
    form = ImageShareForm(request.POST, owner=request.user)
    step = step_of(request, unless_said=DO)
    if step == CHANGE:
        context = album_page(request, member, share_form=form)
        return render(request, "gallery/album.html", context)
    if not form.is_valid():
        return _not_shared(request, member, form)
    try:
        settle_contacts(request, form)
        keys = open_invitations(request, form)
        if step == ASK:
            return _check(request, member, form)
        shared = sharing.share_circle(
            keyring=open_keys(request),
            circle_id=album_id,
            recipients=form.cleaned_data["recipients"],
            terms=form.terms,
            invitations=keys,
            teams=form.cleaned_data["teams"],
        )
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _not_shared(request, member, form)
    if wants_json(request):
        rows = {
            "added": shared.added,
            "changed": shared.changed,
            "unchanged": shared.unchanged,
            "waiting": shared.waiting,
        }
        invited = [str(row.invitation_id) for row in shared.invited]
        teams = [str(row.holder[1]) for row in shared.teams]
        names = {word: usernames_of(rows[word]) for word in rows}
        return JsonResponse({**names, "invited": invited, "teams": teams})
    _tell_shared(request, shared)
    return redirect("gallery:album", album_id)


def _check(request: PersonRequest, member: Member, form: TermsForm) -> HttpResponse:
    album, opener = member.circle, Opener(open_keys(request))
    chosen = [reader.user for reader in form.cleaned_data["recipients"]]
    others = members_in_words(album, opener, besides=chosen)
    record_album(request.user, album.pk)
    return check_access(
        request,
        form,
        "gallery/check_album.html",
        circles=[(name, 1) for name in others],
        action=(action := reverse("gallery:share-album", args=[album.pk])),
        change=f"{action}#who",
        cancel=presenting.address("album", album.pk),
        title=settled(opener, member, opener.details)["title"],
        images_in_it=live_placements(album.pk).count(),
    )


def _not_shared(request: PersonRequest, member: Member, form: TermsForm) -> HttpResponse:
    record_refused(request, Event.IMAGE_SHARE_REFUSED, form, member.circle_id)
    context = {} if wants_json(request) else album_page(request, member, share_form=form)
    return form_refusal(request, form, "gallery/album.html", context)


def _tell_shared(request: PersonRequest, shared: Shared[Member]) -> None:
    waiting = shared.waiting
    can_open = [one for one in shared.touched + shared.unchanged if one not in waiting]
    if can_open:
        sentence = _("%(names)s can open this album, and what you add to it later.")
        messages.success(request, sentence % {"names": _names(can_open)})
    if shared.invited:
        messages.success(request, _("People you invited can open it once they use their link."))
    if shared.teams:
        sentence = _("Everybody in the team can open this album, and people who join it later.")
        messages.success(request, sentence)
    if waiting:
        sentence = _(
            "%(names)s cannot open this album yet: they need new keys first. Then “My images” asks "
            "you to share again, with one click."
        )
        messages.warning(request, sentence % {"names": _names(waiting)})


def _names(members: list[Member]) -> str:
    return ", ".join(str(certified_name(member.reader)) for member in members if member.reader)


@require_POST
@unlocked
@answers_album_refusals
def revoke(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    """Take a member out; the owner's own images get their new locks at once, as many as fit into
    the time of a request."""
    member, keyring = _require_owner(request, album_id), open_keys(request)
    try:
        if "invitation" in request.POST:
            return _end_invited(request, album_id)
        who, ended = _take_out(request, album_id)
    except NotARecipient:
        sentence = _("This person is not a member of this album.")
        if wants_json(request):
            errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
            return JsonResponse({"errors": errors}, status=422)
        context = album_page(request, member, revoke_error=sentence)
        return render(request, "gallery/album.html", context, status=422)
    relock_ended(keyring, seconds=many.SECONDS)
    left = album_pages.images_to_relock(album_id)
    if wants_json(request):
        return JsonResponse({**who, "ended_at": ended.ended_at, "to_relock": left})
    name = certified_name(ended.reader) if ended.reader else _("The team")
    messages.success(request, _("%(name)s can no longer open this album.") % {"name": name})
    if left:
        waits = ngettext(
            "%(count)s image still waits for its new lock.",
            "%(count)s images still wait for their new locks.",
            left,
        )
        messages.info(request, waits % {"count": left})
    return redirect("gallery:album", album_id)


def _take_out(request: PersonRequest, album_id: uuid.UUID) -> tuple[dict[str, str | None], Member]:
    """Take out the person or the team that was posted; return who that was, and the ended row.
    Raises NotARecipient."""
    keyring = open_keys(request)
    if "team" in request.POST:
        team_id = as_id(request.POST["team"])
        if team_id is None:
            raise NotARecipient
        ended = rekeying.revoke_team(keyring=keyring, album_id=album_id, team_id=team_id)
        return {"team": str(team_id)}, ended
    person = person_named(request.POST.get("recipient", ""))
    ended = rekeying.revoke_member(keyring=keyring, circle_id=album_id, recipient=person)
    return {"recipient": certified_name(person).username}, ended


def _end_invited(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    """End what one of the owner's invitations carries of the album. Raises NotARecipient."""
    keyring, invitation = open_keys(request), own_invitation(request)
    rekeying.end_invited_member(keyring=keyring, circle_id=album_id, invitation=invitation)
    relock_ended(keyring, seconds=many.SECONDS)
    if wants_json(request):
        left = album_pages.images_to_relock(album_id)
        return JsonResponse({"invitation": str(invitation.pk), "to_relock": left})
    messages.success(request, _("The invitation does not open this album any more."))
    return redirect("gallery:album", album_id)


@require_POST
@unlocked
@answers_album_refusals
def delete(request: PersonRequest, album_id: uuid.UUID) -> HttpResponseBase:
    deleting.delete_circle(keyring=open_keys(request), circle_id=album_id)
    if wants_json(request):
        return JsonResponse({"deleted": str(album_id)})
    messages.success(request, _("The album is deleted, for everybody. Your images are kept."))
    return redirect("gallery:albums")
