"""Pages and bytes of images: bind, call, answer."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Q, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import pins, throttle
from accounts.answers import form_refusal, wants_json
from accounts.certificates import NoKeys
from accounts.decorators import recoverable, signed_in, unlocked, unlocked_for_bytes
from accounts.models import User
from accounts.unlocking import keyring_of
from accounts.usernames import fold, is_well_formed
from audit.events import Event, Outcome, record
from gallery import presenting
from gallery.access import Access, access_to
from gallery.answers import answers_refusals
from gallery.errors import NotARecipient, TooManyReaders
from gallery.forms import ShareForm, TermsForm, UploadForm
from gallery.ledger import Ledger
from gallery.models import Grant, Rendition
from gallery.opening import Opener, settled
from gallery.releases import record_opening, record_thumbnails
from gallery.services import deleting, inbox, revoking, sharing
from gallery.services.batches import Batch, Wishes, upload_all
from gallery.services.quota import bytes_stored_by
from gallery.services.resharing import waiting_grants
from gallery.services.uploading import Origin

PER_PAGE = 60
CONTACTS_SHOWN = 12
NOT_SHARED = (TooManyReaders, NoKeys, pins.KeyChanged, pins.ContactsRefused)
NO_PLUGINS = "default-src 'none'; sandbox"  # bytes opened on their own run nothing

# ---- lists -----------------------------------------------------------------------------------


@require_safe
@signed_in
def shared_with_me(request: HttpRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).exclude(image__owner=request.user)
    return _list(request, grants, "gallery/shared_with_me.html")


@require_safe
@signed_in
def mine(request: HttpRequest) -> HttpResponse:
    grants = _live_grants_of(request.user).filter(image__owner=request.user)
    waiting = waiting_grants(request.user).exists()
    return _list(request, grants, "gallery/mine.html", readers_waiting=waiting)


def _live_grants_of(person: User) -> QuerySet[Grant]:
    return Grant.objects.filter(reader=person, ended_at=None).exclude(ends_at__lte=timezone.now())


def page_of(grants: QuerySet[Grant], number: str | None) -> Page:
    """Return a page of grants, newest first, with what a card tells of each.

    Only ids are sorted and skipped: with all that is shown of a row, a hundred thousand of them
    would take seconds.
    """
    newest_first = ("-granted_at", "pk")
    ids = grants.order_by(*newest_first).values_list("pk", flat=True)
    page = Paginator(ids, PER_PAGE).get_page(number)
    others = Count("image__grants", filter=Q(image__grants__ended_at=None)) - 1
    page.object_list = (
        Grant.objects.filter(pk__in=list(page.object_list))
        .select_related("reader", "image__owner", "wrapped_key__key_pair")
        .annotate(recipient_count=others)
        .order_by(*newest_first)
    )
    return page


def _list(
    request: HttpRequest, grants: QuerySet[Grant], template: str, **more: bool
) -> HttpResponse:
    page = page_of(grants, request.GET.get("page"))
    keyring = keyring_of(request)
    if keyring and page.object_list and _releases(request):
        record_thumbnails(request.user, [grant.image_id for grant in page.object_list])
    cards = presenting.cards(page.object_list, Opener(keyring) if keyring else None)
    if wants_json(request):
        return JsonResponse(_list_json(cards, page))
    context = {"cards": cards, "page_obj": page, "unlocked": keyring is not None}
    return render(request, template, {**context, **more})


def _list_json(cards: list[presenting.Card], page: Page) -> dict[str, Any]:
    return {
        "images": [presenting.card_json(card) for card in cards],
        "page": page.number,
        "pages": page.paginator.num_pages,
        "total": page.paginator.count,
    }


# ---- one image -------------------------------------------------------------------------------


@require_safe
@unlocked
@answers_refusals
def image(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    context = _image_page(request, access_to(image_id, reader=request.user))
    if wants_json(request):
        return JsonResponse(_image_json(context))
    return render(request, "gallery/image.html", context)


def _image_page(
    request: HttpRequest, access: Access, form: TermsForm | None = None
) -> dict[str, Any]:
    """Return what the image page shows: to its owner also who can open it. Records the opening."""
    opener = Opener(keyring_of(request))
    context = settled(opener, access, lambda access: presenting.image_context(access, opener))
    if access.is_owner:
        context["share_form"] = form or ShareForm(owner=request.user)
        context["people"] = _people_to_choose(request)
    if _releases(request):
        record_opening(request.user, access.image.pk, Rendition.Name.DESCRIPTION)
    return context


def _image_json(context: dict[str, Any]) -> dict[str, Any]:
    owner, verdict = context["owner"], context["verdict"]
    facts = {
        **context["image"],
        "owner": {"username": owner.username, "display_name": str(owner)},
        "rights": context["rights"],
        "ends_at": context["ends_at"],
        "verdict": {name: verdict[name] for name in ("code", "sentence", "signed_at", "older_key")},
        "fingerprint": verdict["fingerprint"].replace(" ", "").lower(),
    }
    hidden = ("initials", "avatar_class")
    if "rows" in context:
        facts["people"] = [
            {name: fact for name, fact in row.items() if name not in hidden}
            for row in context["rows"]
        ]
    return facts


@require_safe
@unlocked_for_bytes
@answers_refusals
def original(request: HttpRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.ORIGINAL)


@require_safe
@unlocked_for_bytes
@answers_refusals
def preview(request: HttpRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.PREVIEW)


@require_safe
@unlocked_for_bytes
@answers_refusals
def thumbnail(request: HttpRequest, image_id: uuid.UUID) -> HttpResponseBase:
    return _bytes(request, image_id, Rendition.Name.THUMBNAIL)


def _bytes(request: HttpRequest, image_id: uuid.UUID, rendition: str) -> HttpResponseBase:
    """Answer with verified, decrypted bytes; recorded before the first one leaves."""
    access = access_to(image_id, reader=request.user)
    if rendition == Rendition.Name.ORIGINAL:
        access.require(Grant.Rights.DOWNLOAD)
    opener = Opener(keyring_of(request))
    opened = settled(opener, access, lambda access: opener.open(access, rendition))
    if _releases(request):
        record_opening(request.user, image_id, rendition)
    return StreamingHttpResponse(
        opened.chunks(),
        content_type=opened.media_type,
        headers={
            "Content-Length": str(opened.length_bytes),
            "Content-Disposition": presenting.disposition(rendition, opened, image_id),
            "Content-Security-Policy": NO_PLUGINS,
            "Cache-Control": "private, no-store",
        },
    )


def _releases(request: HttpRequest) -> bool:
    """Whether the answer has a body: who only asks for its headers has seen nothing."""
    return request.method != "HEAD"


# ---- uploading -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@recoverable
@answers_refusals
def upload(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "gallery/upload.html", _upload_page(request, None))
    files = request.FILES.getlist("images")
    throttle.count(
        "upload", str(request.user.pk), limit=settings.UPLOADS_PER_HOUR, amount=len(files)
    )
    _count_names(request)
    form = UploadForm(request.POST, owner=request.user, file_count=len(files))
    if not form.is_valid():
        return _refused_upload(request, form)
    try:
        _settle_contacts(request, form)
        batch = upload_all(keyring=keyring_of(request), files=files, wishes=_wishes(form))
    except NOT_SHARED as error:
        _say_why(form, error)
        return _refused_upload(request, form)
    return _uploaded(request, batch, form)


def _refused_upload(request: HttpRequest, form: UploadForm) -> HttpResponse:
    _record_refused(request, Event.IMAGE_UPLOAD_REFUSED, form)
    return form_refusal(request, form, "gallery/upload.html", _upload_page(request, form))


def _count_names(request: HttpRequest) -> None:
    """Exact user names can be found out by trying: not by trying very many."""
    names = request.POST.getlist("recipients")[: settings.MAX_RECIPIENTS]
    if names:
        person, limit = str(request.user.pk), settings.NAME_LOOKUPS_PER_HOUR
        throttle.count("names", person, limit=limit, amount=len(names))


def _wishes(form: UploadForm) -> Wishes:
    cleaned = form.cleaned_data
    return Wishes(
        recipients=cleaned["recipients"],
        terms=form.terms,
        caption=cleaned["caption"],
        keep_details=cleaned["keep_details"],
        origin=Origin(cleaned["upload_id"], None),
    )


def _settle_contacts(request: HttpRequest, form: TermsForm) -> None:
    """Take over the changed keys that the owner accepts. Raises KeyChanged or ContactsRefused."""
    people, accepted = form.cleaned_data["recipients"], form.cleaned_data["accept_changed"]
    if people:
        names = {fold(name) for name in accepted}
        pins.settle(keyring=keyring_of(request), people=people, accepted=names)


def _say_why(form: TermsForm, error: Exception) -> None:
    if isinstance(error, pins.KeyChanged):
        form.refuse_changed(error.changes)
    else:
        form.add_error("recipients", _not_shared(error))


def _not_shared(error: Exception) -> ValidationError:
    if isinstance(error, pins.ContactsRefused):
        sentence = _(
            "Your list of compared keys is missing, or is not the newest. Nothing was shared. "
            "Begin the list anew, and tell staff: somebody may have changed it."
        )
        return ValidationError(sentence, code="contacts_refused")
    if isinstance(error, TooManyReaders):
        sentence = _("At most %(limit)s people can open one image. Nothing was shared.")
        limit = {"limit": settings.MAX_RECIPIENTS}
        return ValidationError(sentence, code="too_many_recipients", params=limit)
    sentence = _("A recipient's keys changed just now. Nothing was shared. Try again.")
    return ValidationError(sentence, code="no_keys")


def _upload_page(request: HttpRequest, form: UploadForm | None) -> dict[str, Any]:
    return {
        "form": form or UploadForm(owner=request.user),
        "upload_id": uuid.uuid4(),
        "people": _people_to_choose(request),
        "limits": {
            "formats": "JPEG, PNG, WebP, HEIC, AVIF, GIF",
            "max_mb": settings.MAX_UPLOAD_BYTES // settings.MEBIBYTE,
            "max_request_mb": settings.MAX_REQUEST_BYTES // settings.MEBIBYTE,
            "max_files": settings.MAX_FILES,
        },
        "stored_bytes": bytes_stored_by(request.user.pk) if request.user.quota else None,
    }


def _people_to_choose(request: HttpRequest) -> dict[str, Any]:
    chosen = request.POST.getlist("recipients")[: settings.MAX_RECIPIENTS]
    return presenting.people_to_choose(_contacts(request.user), chosen)


def _contacts(person: User) -> list[presenting.Person]:
    """Return whom this person shared with lately."""
    shared = Grant.objects.filter(image__owner=person, reader__is_active=True)
    latest = (
        shared.exclude(reader=person)
        .values("reader")
        .annotate(last=Max("granted_at"))
        .order_by("-last")[:CONTACTS_SHOWN]
    )
    people = User.objects.in_bulk([row["reader"] for row in latest])
    return [presenting.person_of(people[row["reader"]]) for row in latest]


def _uploaded(request: HttpRequest, batch: Batch, form: UploadForm) -> HttpResponse:
    status = 201 if batch.images else 422
    images = [
        {
            "id": str(image.pk),
            "url": presenting.address("image", image.pk),
            "thumbnail_url": presenting.address("thumbnail", image.pk),
            "name": batch.names[index],
        }
        for index, image in batch.images.items()
    ]
    if wants_json(request):
        answer = [{"id": image["id"], "url": image["url"]} for image in images]
        return JsonResponse({"images": answer, "errors": batch.errors}, status=status)
    recipients = form.cleaned_data["recipients"]
    context = {
        "images": images,
        "errors": [(batch.names[i], error[0]["message"]) for i, error in batch.errors.items()],
        "recipients": [str(person) for person in recipients],
        "is_draft": not recipients,
    }
    return render(request, "gallery/uploaded.html", context, status=status)


# ---- sharing, revoking, deleting -------------------------------------------------------------


@require_POST
@unlocked
@answers_refusals
def share(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    access_to(image_id, reader=request.user).require_owner()
    _count_names(request)
    form = ShareForm(request.POST, owner=request.user)
    if not form.is_valid():
        return _invalid(request, image_id, form)
    try:
        _settle_contacts(request, form)
        shared = sharing.share_image(
            keyring=keyring_of(request),
            image_id=image_id,
            recipients=form.cleaned_data["recipients"],
            terms=form.terms,
        )
    except NOT_SHARED as error:
        _say_why(form, error)
        return _invalid(request, image_id, form)
    if wants_json(request):
        return JsonResponse(_shared_json(shared))
    _tell_shared(request, shared)
    return redirect("gallery:image", image_id)


def _tell_shared(request: HttpRequest, shared: sharing.Shared) -> None:
    waiting = shared.waiting
    can_open = [grant for grant in shared.touched + shared.unchanged if grant not in waiting]
    if can_open:
        names = ", ".join(str(grant.reader) for grant in can_open)
        messages.success(request, _("%(names)s can open this image.") % {"names": names})
    if waiting:
        names = ", ".join(str(grant.reader) for grant in waiting)
        sentence = _(
            "%(names)s must replace their keys first. Share it with them again after that."
        )
        messages.warning(request, sentence % {"names": names})


def _shared_json(shared: sharing.Shared) -> dict[str, list[str]]:
    grants = {
        "added": shared.added,
        "changed": shared.changed,
        "unchanged": shared.unchanged,
        "waiting": shared.waiting,
    }
    return {word: [grant.reader.username for grant in those] for word, those in grants.items()}


def _invalid(request: HttpRequest, image_id: uuid.UUID, form: TermsForm) -> HttpResponse:
    _record_refused(request, Event.IMAGE_SHARE_REFUSED, form, image_id)
    access = access_to(image_id, reader=request.user)
    context = {} if wants_json(request) else _image_page(request, access, form)
    return form_refusal(request, form, "gallery/image.html", context)


@require_POST
@unlocked
@answers_refusals
def revoke(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    access = access_to(image_id, reader=request.user)
    access.require_owner()
    try:
        recipient = _person_named(request.POST.get("recipient", ""))
        grant = revoking.revoke(keyring=keyring_of(request), image_id=image_id, recipient=recipient)
    except NotARecipient:
        return _nothing_to_revoke(request, access)
    return _revoked(request, grant)


def _nothing_to_revoke(request: HttpRequest, access: Access) -> HttpResponse:
    sentence = _("This person has no access to this image. Nothing was changed.")
    if wants_json(request):
        errors = {"recipient": [{"code": "not_a_recipient", "message": sentence}]}
        return JsonResponse({"errors": errors}, status=422)
    context = {**_image_page(request, access), "revoke_error": sentence}
    return render(request, "gallery/image.html", context, status=422)


def _record_refused(
    request: HttpRequest, event: Event, form: TermsForm, image_id: uuid.UUID | None = None
) -> None:
    """Record what was wrong in a form, by codes: what people typed is not for the trail."""
    codes = sorted(
        {error.code or "" for errors in form.errors.as_data().values() for error in errors}
    )
    record(event, actor=request.user.pk, subject=image_id, outcome=Outcome.REFUSED, codes=codes)


def _person_named(name: str) -> User:
    folded = fold(name)
    person = User.objects.filter(username=folded).first() if is_well_formed(folded) else None
    if person is None:
        raise NotARecipient
    return person


def _revoked(request: HttpRequest, grant: Grant) -> HttpResponse:
    ledger = Ledger(grant.image_id)
    if wants_json(request):
        return JsonResponse(presenting.receipt_json(grant, ledger))
    messages.success(request, presenting.receipt_sentence(grant, ledger))
    return redirect("gallery:image", grant.image_id)


@require_POST
@unlocked
@answers_refusals
def delete(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    deleting.delete_image(keyring=keyring_of(request), image_id=image_id)
    if wants_json(request):
        return JsonResponse({"deleted": str(image_id)})
    messages.success(request, _("The image is deleted, for everybody."))
    return redirect("gallery:mine")


# ---- notices ---------------------------------------------------------------------------------


@require_safe
@signed_in
def activity(request: HttpRequest) -> HttpResponse:
    read = inbox.read_notices(request.user, request.GET.get("page"))
    shown = [presenting.notice(notice) for notice in read.notices]
    if wants_json(request):
        pages = {"page": read.page.number, "pages": read.page.paginator.num_pages}
        return JsonResponse({"notices": shown, **pages})
    response = render(request, "gallery/activity.html", {"notices": shown, "page_obj": read.page})
    if _releases(request):
        inbox.mark_read(request.user, read)
    return response
