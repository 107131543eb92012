"""Successors: named and removed by an owner, and taking over from one whom staff have disabled."""

import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
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
from gallery.answers import answers_refusals, answers_successors_refusals
from gallery.errors import GalleryError, NotARecipient, NotYours
from gallery.models import Subject
from gallery.opening import Opener
from gallery.services import many
from gallery.services.succession import membership_after
from gallery.services.successors import name_successors, remove_successor
from gallery.services.taking_over import keys_to_take_over, take_over
from gallery.services.taking_over_circles import circles_to_take_over, take_over_circle
from gallery.successor_pages import ALBUM, IMAGE, KINDS, TEAM, amounts_in_words, kind_of
from gallery.team_forms import MembersForm
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    people_to_choose,
    person_named,
    record_refused,
    settle_contacts,
)

HIDDEN = ("initials", "avatar_class")


def _page(request: PersonRequest, form: MembersForm, **more: Any) -> dict[str, Any]:
    shown = successor_pages.page_of(request.user, Opener(open_keys(request)))
    people = people_to_choose(request, invitations=False)
    return {**shown, "form": form, "people_to_choose": people, **more}


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_successors_refusals
def successors(request: PersonRequest) -> HttpResponse:
    form = MembersForm(posted(request), owner=request.user)
    if request.method == "POST":
        count_names(request)
        return _name(request, form)
    if wants_json(request):
        return JsonResponse(_json(_page(request, form)))
    return render(request, "gallery/successors.html", _page(request, form))


def _name(request: PersonRequest, form: MembersForm) -> HttpResponse:
    if not form.is_valid():
        return _not_named(request, form)
    try:
        settle_contacts(request, form)
        people = form.cleaned_data["recipients"]
        shared = name_successors(keyring=open_keys(request), people=people)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _not_named(request, form)
    touched = [row.reader for row in shared.touched + shared.unchanged if row.reader]
    if wants_json(request):
        return JsonResponse({"named": [person.username for person in touched]})
    sentence = _("%(names)s can take over your images if staff disable your account.")
    names = ", ".join(str(certified_name(person)) for person in touched)
    messages.success(request, sentence % {"names": names})
    return redirect("gallery:successors")


def _not_named(request: PersonRequest, form: MembersForm) -> HttpResponse:
    record_refused(request, Event.SUCCESSORS_REFUSED, form)
    context = {} if wants_json(request) else _page(request, form)
    return form_refusal(request, form, "gallery/successors.html", context)


def _json(page: dict[str, Any]) -> dict[str, Any]:
    return {
        "named": [
            {name: fact for name, fact in person.items() if name not in HIDDEN}
            for person in page["named"]
        ],
        "left": page["left"],
        "named_by": [successor_pages.naming_json(one) for one in page["named_by"]],
    }


@require_POST
@unlocked
@answers_successors_refusals
def remove(request: PersonRequest) -> HttpResponse:
    try:
        person = person_named(request.POST.get("recipient", ""))
        remove_successor(keyring=open_keys(request), person=person)
    except NotARecipient:
        sentence = _("This person is not a successor of yours.")
        if wants_json(request):
            errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
            return JsonResponse({"errors": errors}, status=422)
        context = _page(request, MembersForm(owner=request.user), remove_error=sentence)
        return render(request, "gallery/successors.html", context, status=422)
    name = certified_name(person)
    if wants_json(request):
        return JsonResponse({"removed": name.username})
    sentence = _("%(name)s can no longer take over your images. They are encrypted again.")
    messages.success(request, sentence % {"name": name})
    return redirect("gallery:successors")


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
    """As much of one owner's as fits into the time of a request; the same again goes on."""
    owner_id = as_id(request.POST.get("owner", ""))
    owner = User.objects.filter(pk=owner_id).first() if owner_id else None
    if owner is None:
        raise NotYours
    keyring = open_keys(request)
    member = membership_after(owner, Opener(keyring), reader=request.user)
    circles, images = circles_to_take_over(member), keys_to_take_over(member)
    acts: list[Callable[[], Subject]] = [
        *(
            partial(take_over_circle, keyring=keyring, circle_id=circle_id)
            for circle_id in circles.values_list("circle", flat=True)
        ),
        *(
            partial(take_over, keyring=keyring, image_id=image_id)
            for image_id in images.values_list("image", flat=True)
        ),
    ]
    taken, failed = _tried(acts)
    left = circles.count() + images.count()
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
