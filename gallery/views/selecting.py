"""Many images at once: sharing, taking access back, deleting; asked first, and told of each."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.keys.names import prefetch_names
from accounts.models import User
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys
from accounts.web.unlocking import keyring_now
from audit.events import AuditUnavailable, Event
from gallery import outcomes, presenting
from gallery.access import Access, access_to
from gallery.already import circles_of_images
from gallery.answers import answers_refusals
from gallery.errors import NotARecipient, NotYours
from gallery.forms import SelectionForm, ShareForm, TermsForm
from gallery.models import Grant
from gallery.opening import Opener
from gallery.outcomes import Outcome
from gallery.refusals import REFUSALS, refusal_for
from gallery.services import deleting, many, sharing
from gallery.services.many import Done
from gallery.views.checking import ASK, CHANGE, check_access, person_json, step_of
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    people_to_choose,
    person_named,
    record_cards,
    record_refused,
    settle_contacts,
)

PICTURES_SHOWN = 12

Images = list[uuid.UUID]
View = Callable[..., HttpResponseBase]


def of_own_images(view: View) -> Callable[..., HttpResponseBase]:
    """Hand the view the ids in `images`, if all are the person's own images."""

    @require_POST
    @unlocked
    @answers_refusals
    @wraps(view)
    def guarded(request: PersonRequest, **kwargs: uuid.UUID) -> HttpResponseBase:
        form = SelectionForm(request.POST)
        if not form.is_valid():
            return form_refusal(request, form, "gallery/not_selected.html")
        images: Images = form.cleaned_data["images"]
        if other := many.first_of_others(images, owner=request.user):
            return _refuse(request, image_id=other)
        return view(request, images=images, **kwargs)

    return guarded


@answers_refusals
def _refuse(request: PersonRequest, image_id: uuid.UUID) -> NoReturn:
    """Answer and record as if this image were asked for by itself."""
    access_to(image_id, reader=request.user).require_owner()
    raise NotYours


def is_still_open(request: PersonRequest) -> bool:
    return keyring_now(request) is not None


def _is_confirmed(request: PersonRequest) -> bool:
    return request.POST.get("confirmed") == "1"


# ---- sharing ---------------------------------------------------------------------------------


@of_own_images
def share(request: PersonRequest, images: Images) -> HttpResponse:
    step = step_of(request, unless_said=ASK)
    if step == ASK and "recipients" not in request.POST and not wants_json(request):
        return _share_page(request, images, ShareForm(owner=request.user))
    form = ShareForm(request.POST, owner=request.user)
    people = [name for name in request.POST.getlist("recipients") if name.strip()]
    earlier = earlier_of(request, "share", people)
    if not earlier:  # those of an act that goes on were counted when it began
        count_names(request)
    if step == CHANGE or not form.is_valid():
        return _share_page(request, images, form)
    try:
        settle_contacts(request, form)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _share_page(request, images, form)
    if step == ASK:
        return check_images(request, form, images, action=reverse("gallery:share-selected"))
    act = partial(
        sharing.share_image,
        keyring=open_keys(request),
        recipients=form.cleaned_data["recipients"],
        terms=form.terms,
        teams=form.cleaned_data["teams"],
    )
    cards = cards_of(request, images[: many.AT_ONCE])
    done = many.one_after_another(
        images,
        lambda image_id: [act(image_id=image_id)],
        may_go_on=partial(is_still_open, request),
    )
    told = told_of(request, done, cards, outcomes.tell_shared)
    return answer(request, "share", images, earlier, told, people)


def _share_page(request: PersonRequest, images: Images, form: TermsForm) -> HttpResponse:
    if form.errors:
        record_refused(request, Event.IMAGE_SHARE_REFUSED, form)
        if wants_json(request):
            return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    context = {
        **selection(request, images),
        "form": form,
        "people": people_to_choose(request, Opener(open_keys(request)), invitations=False),
        "done": request.POST.get("done", ""),
    }
    status = 422 if form.errors else 200
    return render(request, "gallery/share_selected.html", context, status=status)


def check_images(
    request: PersonRequest,
    form: TermsForm | None,
    images: Images,
    *,
    template: str = "gallery/check_images.html",
    **about: Any,
) -> HttpResponse:
    """Answer with the check before images are shared; `about` as for check_access()."""
    opener = Opener(open_keys(request))
    about = {"cancel": reverse("gallery:mine"), **selection(request, images), **about}
    return check_access(
        request,
        form,
        template,
        already=[(user, len(of)) for user, of in _people_of(request, images)],
        circles=circles_of_images(images, request.user, opener),
        **about,
    )


# ---- taking access back ----------------------------------------------------------------------


@of_own_images
def revoke(request: PersonRequest, images: Images) -> HttpResponse:
    named = request.POST.getlist("recipients")
    earlier = earlier_of(request, "revoke", named)
    if not _is_confirmed(request):
        return _revoke_page(request, images)
    if not named:
        return _nobody_to_revoke(request, images, "required", _("Choose at least one person."))
    if len(named) > settings.MAX_RECIPIENTS:
        sentence = _("At most %(limit)s people at once. Nothing was changed.")
        sentence %= {"limit": settings.MAX_RECIPIENTS}
        return _nobody_to_revoke(request, images, "too_many_recipients", sentence)
    if not earlier:
        count_names(request)
    try:
        people = list(dict.fromkeys(map(person_named, named)))
    except NotARecipient:
        sentence = _("One of these people has no access to these images. Nothing was changed.")
        return _nobody_to_revoke(request, images, "not_a_recipient", sentence)
    keyring = open_keys(request)
    cards = cards_of(request, images[: many.AT_ONCE])
    done = many.one_after_another(
        images,
        lambda image_id: many.revoke_each(keyring=keyring, image_id=image_id, people=people),
        may_go_on=partial(is_still_open, request),
    )
    told = told_of(request, done, cards, outcomes.tell_revoked)
    return answer(request, "revoke", images, earlier, told, named)


def _nobody_to_revoke(
    request: PersonRequest, images: Images, code: str, sentence: str
) -> HttpResponse:
    if wants_json(request):
        errors_of = {"recipients": [{"code": code, "message": sentence}]}
        return JsonResponse({"errors": errors_of}, status=422)
    return _revoke_page(request, images, error=sentence)


def _revoke_page(request: PersonRequest, images: Images, *, error: str = "") -> HttpResponse:
    readers = _people_of(request, images)
    if wants_json(request):
        people = [
            {"id": str(user.pk), **person_json(user), "images": len(of)} for user, of in readers
        ]
        return JsonResponse({"people": people})
    context = {
        **selection(request, images),
        "readers": [(presenting.person_of(user), len(of)) for user, of in readers],
        "ticked": request.POST.getlist("recipients"),
        "error": error,
    }
    status = 422 if error else 200
    return render(request, "gallery/revoke_selected.html", context, status=status)


# ---- deleting --------------------------------------------------------------------------------


@of_own_images
def delete(request: PersonRequest, images: Images) -> HttpResponse:
    if not _is_confirmed(request):
        return _delete_page(request, images)
    keyring = open_keys(request)
    earlier = earlier_of(request, "delete", [])
    cards = cards_of(request, images[: many.AT_ONCE])

    def act(image_id: uuid.UUID) -> list[None]:
        deleting.delete_image(keyring=keyring, image_id=image_id)
        return []

    done = many.one_after_another(images, act, may_go_on=partial(is_still_open, request))
    told = told_of(request, done, cards, outcomes.tell_deleted)
    return answer(request, "delete", images, earlier, told, [])


def _delete_page(request: PersonRequest, images: Images) -> HttpResponse:
    readers = _people_of(request, images)
    if wants_json(request):
        return JsonResponse({"images": len(images), "people": len(readers)})
    context = {**selection(request, images), "people_count": len(readers)}
    return render(request, "gallery/delete_selected.html", context)


# ---- what the pages share --------------------------------------------------------------------


def _people_of(request: PersonRequest, images: Images) -> list[tuple[User, set[uuid.UUID]]]:
    """Return who can open these images, those of most images first, and which each of them can."""
    opener = Opener(open_keys(request))
    readers = many.readers_of(images, owner=request.user, opener=opener)
    prefetch_names(readers)
    return sorted(readers.items(), key=lambda one: (-len(one[1]), one[0].username))


def selection(request: PersonRequest, images: Images) -> dict[str, Any]:
    """Return what each page before an act shows of the images: the first pictures of them."""
    cards = cards_of(request, images[:PICTURES_SHOWN])
    return {
        "images": images,
        "shown": [cards.get(image_id) for image_id in images[:PICTURES_SHOWN]],
        "more": max(0, len(images) - PICTURES_SHOWN),
    }


def cards_of(request: PersonRequest, images: Images) -> dict[uuid.UUID, presenting.Card]:
    """Return what a list tells of these images; nothing of deleted ones, and nothing to a script,
    which is shown no picture and no title."""
    if wants_json(request):
        return {}
    grants = Grant.objects.filter(reader=request.user, image__in=images, ended_at=None)
    grants = grants.select_related("reader", "image__owner", "wrapped_key__key_pair")
    accesses = [Access(request.user, grant) for grant in grants]
    cards = presenting.cards(accesses, Opener(open_keys(request)))
    record_cards(request, cards)
    return {card.id: card for card in cards}


def earlier_of(request: PersonRequest, act: str, people: list[str]) -> list[Outcome]:
    """Return what earlier requests of this act did."""
    value = request.POST.get("done", "")
    return outcomes.carried_on(value, person=request.user, act=act, people=people)


def told_of(
    request: PersonRequest,
    done: list[Done[outcomes.Result]],
    cards: dict[uuid.UUID, presenting.Card],
    tell: Callable[[list[outcomes.Result]], outcomes.Told],
) -> list[Outcome]:
    for one in done:
        # Without the trail's table the others are told of all the same.
        with suppress(AuditUnavailable):
            if one.refused and isinstance(one.refused, tuple(REFUSALS)):
                refusal_for(one.refused).record(request.user.pk, one.image_id)
    return [outcomes.outcome_of(one, cards.get(one.image_id), tell) for one in done]


def told_json(images: Images, told: list[Outcome]) -> dict[str, Any]:
    left = [str(image_id) for image_id in images[len(told) :]]
    return {"done": [outcome.as_json() for outcome in told], "left": left}


def answer(
    request: PersonRequest,
    act: str,
    images: Images,
    earlier: list[Outcome],
    told: list[Outcome],
    people: list[str],
    *,
    more: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """Answer with what happened to each image, and the form that goes on with the rest."""
    left = images[len(told) :]
    if wants_json(request):
        return JsonResponse(told_json(images, told))
    outcomes_ = [*earlier, *told]
    fields = [("images", str(image_id)) for image_id in left]
    fields += [("recipients", name) for name in people]
    for name in ("teams", "team_joins"):
        posted = request.POST.getlist(name)[: settings.MAX_SELECTED]
        fields += [(name, value) for value in posted]
    terms = ("rights", "ends_at")
    fields += [(name, request.POST.get(name, "")) for name in terms if name in request.POST]
    fields += more
    if left:
        carried = outcomes.carried(outcomes_, person=request.user, act=act, people=people)
        fields += [("done", carried), ("confirmed", "1")]
    context = {
        "act": act.partition(" ")[0],
        "outcomes": outcomes_,
        "changed": sum(outcome.is_changed for outcome in outcomes_),
        "refused": sum(not outcome.is_changed for outcome in outcomes_),
        "total": len(outcomes_) + len(left),
        "left": len(left),
        "fields": fields,
        "album": dict(more).get("album"),
    }
    return render(request, "gallery/selected_done.html", context)
