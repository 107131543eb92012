"""Successors: named and removed by an owner, and taking over from one whom staff have disabled."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.keys.names import certified_name
from accounts.models import User
from accounts.views.common import posted
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import recoverable, unlocked
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from audit.unreadable import as_id
from gallery import presenting, successor_pages
from gallery.access import membership_of
from gallery.album_cards import settled
from gallery.answers import (
    answers_album_refusals,
    answers_refusals,
    answers_successors_refusals,
)
from gallery.errors import GalleryError, NotAllowed, NotARecipient, NotYours
from gallery.models import Subject
from gallery.opening import Opener
from gallery.releases import record_album
from gallery.services import many
from gallery.services.succession import membership_after
from gallery.services.successors import name_successors, remove_successor, successors_of
from gallery.services.taking_over import images_to_take_over, take_over
from gallery.services.taking_over_circles import circles_to_take_over, take_over_circle
from gallery.successor_pages import ALBUM, IMAGE, KINDS, TEAM, amounts_in_words, kind_of
from gallery.team_forms import MembersForm
from gallery.views.checking import ASK, CHANGE, DO, check_access, step_of
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    people_to_choose,
    person_named,
    record_refused,
    releases,
    settle_contacts,
)

HIDDEN = ("initials", "avatar_class")


@dataclass(frozen=True)
class Named:
    """What successors are named for: all that somebody owns, or one album of theirs alone."""

    title: str = ""
    album_id: uuid.UUID | None = None

    @property
    def template(self) -> str:
        return f"gallery/{'album_' if self.album_id else ''}successors.html"

    @property
    def address(self) -> str:
        if self.album_id:
            return reverse("gallery:album-successors", args=[self.album_id])
        return reverse("gallery:successors")

    @property
    def remove_address(self) -> str:
        if self.album_id:
            return reverse("gallery:remove-album-successor", args=[self.album_id])
        return reverse("gallery:remove-successor")


EVERYTHING = Named()


def _album_of_owner(request: PersonRequest, album_id: uuid.UUID) -> Named:
    """Raises NotYours, NotAllowed, and as opening the album does."""
    member = membership_of(album_id, reader=request.user)
    if member.circle.owner_id != request.user.pk:
        raise NotAllowed
    opener = Opener(open_keys(request))
    named = Named(settled(opener, member, opener.details)["title"], album_id)
    if releases(request):
        record_album(request.user, album_id)
    return named


def _page(request: PersonRequest, named: Named, form: MembersForm, **more: Any) -> dict[str, Any]:
    shown = successor_pages.named_by_owner(request.user, named.album_id)
    if named == EVERYTHING:
        opener = Opener(open_keys(request))
        shown["named_by"] = successor_pages.namings_of(request.user, opener)
        shown["albums"] = successor_pages.albums_with_their_own(request.user, opener)
    people = people_to_choose(request, invitations=False)
    return {**shown, "about": named, "form": form, "people_to_choose": people, **more}


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_successors_refusals
def successors(request: PersonRequest) -> HttpResponse:
    return _successors(request, EVERYTHING)


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_album_refusals
def successors_of_album(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    return _successors(request, _album_of_owner(request, album_id))


def _successors(request: PersonRequest, named: Named) -> HttpResponse:
    form = MembersForm(posted(request), owner=request.user)
    if request.method == "POST":
        count_names(request)
        return _name(request, named, form)
    if wants_json(request):
        return JsonResponse(_json(_page(request, named, form)))
    return render(request, named.template, _page(request, named, form))


def _name(request: PersonRequest, named: Named, form: MembersForm) -> HttpResponse:
    step = step_of(request, unless_said=DO)
    if step == CHANGE:
        return render(request, named.template, _page(request, named, form))
    if not form.is_valid():
        return _not_named(request, named, form)
    try:
        settle_contacts(request, form)
        if step == ASK:
            return _check(request, named, form)
        people = form.cleaned_data["recipients"]
        shared = name_successors(keyring=open_keys(request), people=people, album_id=named.album_id)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _not_named(request, named, form)
    touched = [row.reader for row in shared.touched + shared.unchanged if row.reader]
    if wants_json(request):
        return JsonResponse({"named": [person.username for person in touched]})
    sentence = _("%(names)s can take over your images if staff disable your account.")
    if named.album_id:
        sentence = _("%(names)s can take over this album if staff disable your account.")
    names = ", ".join(str(certified_name(person)) for person in touched)
    messages.success(request, sentence % {"names": names})
    return redirect(named.address)


def _check(request: PersonRequest, named: Named, form: MembersForm) -> HttpResponse:
    there = successors_of(request.user, named.album_id)
    return check_access(
        request,
        form,
        "gallery/check_successors.html",
        already=[(row.reader, 1) for row in there if row.reader],
        action=named.address,
        change=f"{named.address}#name",
        cancel=named.address,
        about=named,
    )


def _not_named(request: PersonRequest, named: Named, form: MembersForm) -> HttpResponse:
    record_refused(request, Event.SUCCESSORS_REFUSED, form, named.album_id)
    context = {} if wants_json(request) else _page(request, named, form)
    return form_refusal(request, form, named.template, context)


def _json(page: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "named": [
            {name: fact for name, fact in person.items() if name not in HIDDEN}
            for person in page["named"]
        ],
        "left": page["left"],
    }
    if "named_by" in page:
        shown["named_by"] = [successor_pages.naming_json(one) for one in page["named_by"]]
        shown["albums"] = [
            {"id": one.id, "title": one.title, "url": Named(album_id=one.id).address}
            for one in page["albums"]
        ]
    return shown


@require_POST
@unlocked
@answers_successors_refusals
def remove(request: PersonRequest) -> HttpResponse:
    return _remove(request, EVERYTHING)


@require_POST
@unlocked
@answers_album_refusals
def remove_of_album(request: PersonRequest, album_id: uuid.UUID) -> HttpResponse:
    return _remove(request, _album_of_owner(request, album_id))


def _remove(request: PersonRequest, named: Named) -> HttpResponse:
    keyring = open_keys(request)
    try:
        person = person_named(request.POST.get("recipient", ""))
        remove_successor(keyring=keyring, person=person, album_id=named.album_id)
    except NotARecipient:
        sentence = _("This person is not a successor of yours.")
        if named.album_id:
            sentence = _("This person is not a successor for this album.")
        if wants_json(request):
            errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
            return JsonResponse({"errors": errors}, status=422)
        form = MembersForm(owner=request.user)
        context = _page(request, named, form, remove_error=sentence)
        return render(request, named.template, context, status=422)
    name = certified_name(person)
    if wants_json(request):
        return JsonResponse({"removed": name.username})
    sentence = _("%(name)s can no longer take over your images. They are encrypted again.")
    if named.album_id:
        sentence = _("%(name)s can no longer take over this album. It is encrypted again.")
    messages.success(request, sentence % {"name": name})
    return redirect(named.address)


# ---- taking over -----------------------------------------------------------------------------


@require_POST
@recoverable
@answers_refusals
def take_over_one(request: PersonRequest, image_id: uuid.UUID) -> HttpResponse:
    image = take_over(keyring=open_keys(request), image_id=image_id)
    if wants_json(request):
        return JsonResponse({"id": str(image.pk), "url": presenting.address("image", image.pk)})
    messages.success(request, _("The image is yours now. Everybody who could open it still can."))
    return redirect("gallery:image", image_id)


@require_POST
@recoverable
@answers_successors_refusals
def take_over_all(request: PersonRequest) -> HttpResponse:
    """As much of one owner's, or of one album of theirs, as fits into the time of a request; the
    same again goes on."""
    owner_id, album_id = as_id(request.POST.get("owner", "")), request.POST.get("album", "")
    owner = User.objects.filter(pk=owner_id).first() if owner_id else None
    if owner is None or (album_id and as_id(album_id) is None):
        raise NotYours
    keyring = open_keys(request)
    member = membership_after(owner, Opener(keyring), reader=request.user, album_id=as_id(album_id))
    acts: list[Callable[[], Subject]] = [
        *(
            partial(take_over_circle, keyring=keyring, circle_id=circle_id)
            for circle_id in circles_to_take_over(member)
        ),
        *(
            partial(take_over, keyring=keyring, image_id=image_id)
            for image_id in images_to_take_over(member)
        ),
    ]
    taken, failed = _tried(acts)
    left = len(circles_to_take_over(member)) + len(images_to_take_over(member))
    if wants_json(request):
        ids = {kind: [str(one.pk) for one in taken if kind_of(one) == kind] for kind in KINDS}
        answer = {"taken": ids[IMAGE], "albums": ids[ALBUM], "teams": ids[TEAM]}
        return JsonResponse({**answer, "failed": failed, "left": left})
    if taken:
        sentence = _("Yours now: %(what)s. Everybody who could open them still can.")
        what = amounts_in_words(Counter(map(kind_of, taken)))
        messages.success(request, sentence % {"what": what})
    if failed:
        sentence = _("%(count)s could not be taken over. Another successor may have been faster.")
        messages.warning(request, sentence % {"count": failed})
    if left:
        messages.warning(request, _("%(count)s are left. Press again to go on.") % {"count": left})
    return redirect("gallery:successors")


def _tried(acts: list[Callable[[], Subject]]) -> tuple[list[Subject], int]:
    """Return what was taken over in the time of a request, and how many were refused."""
    taken, failed = [], 0
    deadline = time.monotonic() + many.SECONDS
    for act in acts:
        try:
            taken.append(act())
        except GalleryError:
            failed += 1
        if time.monotonic() >= deadline:
            break
    return taken, failed
