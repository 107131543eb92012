"""Uploading: files, people and terms in; images, or what was wrong, out."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import throttle
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import recoverable, signed_in
from accounts.web.requests import PersonRequest, open_keys
from audit.events import Event
from gallery.album_cards import albums_to_add_to
from gallery.already import album_in_words
from gallery.answers import answers_refusals
from gallery.errors import GalleryError
from gallery.forms import UploadForm, WishesForm
from gallery.opening import Opener
from gallery.presenting import removed_in_words
from gallery.releases import record_album, record_titles
from gallery.sealing import own_signing_pair
from gallery.services.batches import Batch, Wishes, upload_all
from gallery.services.circles.placing import place_uploaded, require_place
from gallery.services.quota import bytes_stored_by
from gallery.services.uploading import Origin
from gallery.views.checking import ASK, CHANGE, check_access, step_of
from gallery.views.common import (
    NOT_SHARED,
    add_sharing_error,
    count_names,
    open_invitations,
    people_to_choose,
    record_refused,
    releases,
    settle_contacts,
)
from gallery.views.uploaded import image_json, result_page


@require_safe
@signed_in
def shared(request: PersonRequest) -> HttpResponse:
    """Say who is here to the service worker, which keeps for them what a phone shares; and to a
    person that it was not kept."""
    if wants_json(request):
        return JsonResponse({"person": request.user.pk})
    sentence = _(
        "The images you shared did not arrive. Nothing was stored. Choose them here, or share them "
        "again."
    )
    messages.warning(request, sentence)
    return redirect("gallery:upload")


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_refusals
def upload(request: PersonRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/upload.html", _upload_page(request, None))
    sent = len(request.FILES.getlist("images"))
    throttle.count("upload", str(request.user.pk), limit=settings.UPLOADS_PER_HOUR, amount=sent)
    count_names(request)
    form = UploadForm(request.POST, request.FILES, owner=request.user)
    if not form.is_valid():
        return _refused_upload(request, form)
    if not _may_place(request, form):
        return _refused_upload(request, form)
    cleaned = form.cleaned_data
    try:
        settle_contacts(request, form)
        wishes = Wishes(
            recipients=cleaned["recipients"],
            terms=form.terms,
            caption=cleaned["caption"],
            keep_details=cleaned["keep_details"],
            origin=Origin(cleaned["upload_id"], cleaned["upload_index"]),
            keep_until=cleaned["keep_until"],
            invitations=open_invitations(request, form),
            teams=tuple(cleaned["teams"]),
            album=cleaned["album"],
            count=max(cleaned["upload_count"] or 1, sent),
        )
        batch = upload_all(keyring=open_keys(request), files=cleaned["images"], wishes=wishes)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _refused_upload(request, form)
    left_out = place_uploaded(open_keys(request), cleaned["album"], batch.images.values())
    return _uploaded(request, batch, form, left_out)


def _may_place(request: PersonRequest, form: WishesForm) -> bool:
    """Whether this person may put images into the album they chose, if they chose one."""
    album_id = form.cleaned_data["album"]
    try:
        if album_id:
            require_place(open_keys(request), album_id)
    except GalleryError:
        sentence = _("You cannot add images to this album. Nothing was uploaded.")
        form.add_error("album", ValidationError(sentence, code="no_such_album"))
        return False
    return True


@require_POST
@recoverable
@answers_refusals
def check(request: PersonRequest) -> HttpResponse:
    """Refuse what an upload would refuse of its people and terms, before its files are sent; and
    answer with who will be able to open them. Browsers without scripts choose them only there."""
    count_names(request)
    form = WishesForm(request.POST, owner=request.user)
    if step_of(request, unless_said=ASK) == CHANGE:
        return render(request, "gallery/upload.html", _upload_page(request, form))
    if not form.is_valid():
        return _refused_upload(request, form)
    if not _may_place(request, form):
        return _refused_upload(request, form)
    own_signing_pair(open_keys(request))
    try:
        settle_contacts(request, form)
        open_invitations(request, form)
    except NOT_SHARED as error:
        add_sharing_error(form, error)
        return _refused_upload(request, form)
    if not wants_json(request):
        return _check_page(request, form)
    readers = form.cleaned_data["recipients"]
    return JsonResponse({"recipients": [reader.user.username for reader in readers]})


def _check_page(request: PersonRequest, form: WishesForm) -> HttpResponse:
    album, album_id = None, form.cleaned_data["album"]
    if album_id:
        opener = Opener(open_keys(request))
        album = album_in_words(album_id, opener, reader=request.user)
        record_album(request.user, album_id)
    return check_access(
        request,
        form,
        "gallery/check_upload.html",
        album=album,
        gives_access=form.names_somebody or (album is not None and album.is_shared),
        action=reverse("gallery:upload"),
        change=reverse("gallery:check-upload"),
        cancel=reverse("gallery:mine"),
        image_count=form.cleaned_data["image_count"],
        limits=_limits(),
    )


def _refused_upload(request: PersonRequest, form: WishesForm) -> HttpResponse:
    record_refused(request, Event.IMAGE_UPLOAD_REFUSED, form)
    page = _upload_page(request, form)
    # An earlier try may have stored images, and its answer been lost: the next one is a retry.
    page["upload_id"] = form.cleaned_data.get("upload_id") or page["upload_id"]
    return form_refusal(request, form, "gallery/upload.html", page)


def _upload_page(request: PersonRequest, form: WishesForm | None) -> dict[str, Any]:
    quota = request.user.quota
    stored = bytes_stored_by(request.user.pk) if quota else None
    return {
        "form": form or UploadForm(owner=request.user),
        "upload_id": uuid.uuid4(),
        "people": people_to_choose(request, Opener(open_keys(request))),
        "limits": _limits(),
        "stored_bytes": stored,
        "room_left": max(0, quota - stored) if stored is not None else "",
        "no_id": uuid.UUID(int=0),  # where the scripts put the upload's
        "albums": _albums(request),
        "album": request.POST.get("album") or request.GET.get("album", ""),
    }


def _limits() -> dict[str, Any]:
    return {
        "formats": "JPEG, PNG, WebP, HEIC, AVIF, GIF",
        "max_mb": settings.MAX_UPLOAD_BYTES // settings.MEBIBYTE,
        "max_request_mb": settings.MAX_REQUEST_BYTES // settings.MEBIBYTE,
        "max_files": settings.MAX_FILES,
        "most_queued": settings.MAX_SELECTED,
    }


def _albums(request: PersonRequest) -> list[tuple[str, str]]:
    """Return id and title of the albums that this person may add to."""
    albums = albums_to_add_to(request.user, Opener(open_keys(request)))
    if albums and releases(request):
        record_titles(request.user, [album.id for album in albums])
    return [(str(album.id), album.title) for album in albums]


def _uploaded(
    request: PersonRequest, batch: Batch, form: UploadForm, left_out: list[uuid.UUID]
) -> HttpResponse:
    status = 201 if batch.images else 422
    if wants_json(request):
        images = [
            {**image_json(image.pk), "removed": removed_in_words(batch.removed[index])}
            for index, image in batch.images.items()
        ]
        facts: dict[str, Any] = {"images": images, "errors": batch.errors}
        if form.cleaned_data["album"]:
            facts["not_in_album"] = [str(image_id) for image_id in left_out]
        return JsonResponse(facts, status=status)
    if not batch.images:
        for (error,) in batch.errors.values():
            form.add_error("images", ValidationError(error["message"], code=error["code"]))
        return render(request, "gallery/upload.html", _upload_page(request, form), status=status)
    refused = [error["message"] for (error,) in batch.errors.values()]
    images_ = [image.pk for image in batch.images.values()]
    context = result_page(request, images_, refused=refused, left_out=len(left_out))
    return render(request, "gallery/uploaded.html", context, status=status)
