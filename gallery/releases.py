"""Recording that content leaves, before it does; repeats within ten minutes are folded."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.keys.recipients import hold_people
from accounts.models import User
from audit.events import Event, record
from audit.models import AuditEntry
from gallery.access import Access
from gallery.ledger import unopened
from gallery.models import NoticeChoice, Rendition
from gallery.services.notices import NoticeKind, record_notices, send_notices

FOLDED_FOR = timedelta(minutes=10)

EVENTS = {
    Rendition.Name.ORIGINAL: Event.IMAGE_DOWNLOADED,
    Rendition.Name.PREVIEW: Event.IMAGE_OPENED,
    Rendition.Name.DESCRIPTION: Event.IMAGE_OPENED,
}


def record_opening(access: Access, rendition: str) -> None:
    """Record that a rendition is released, and tell an owner who wants to know of the first time.
    Raises AuditUnavailable: then it must not be released."""
    reader, image_id, since = access.reader, access.image.pk, timezone.now() - FOLDED_FOR
    if rendition == Rendition.Name.THUMBNAIL:
        record_thumbnails_once(reader, [image_id])
        return
    event = EVENTS[Rendition.Name(rendition)]
    if not AuditEntry.objects.seen_since(reader.pk, event, image_id, since):
        is_news = _owner_asks(access) and bool(unopened([image_id], reader=reader.pk))
        record(event, actor=reader.pk, subject=image_id)
        if is_news:
            _tell_owner(access)


def _owner_asks(access: Access) -> bool:
    wishes = NoticeChoice.objects.filter(person=access.image.owner_id, first_openings=True)
    return not access.is_owner and wishes.exists()


def _tell_owner(access: Access) -> None:
    with transaction.atomic():
        hold_people([access.image.owner])
        sent = send_notices(NoticeKind.OPENED, [access.as_grant])
    record_notices([sent])


def record_album(reader: User, album_id: UUID) -> None:
    """Record that an album's title and list are released. Raises AuditUnavailable."""
    since = timezone.now() - FOLDED_FOR
    if not AuditEntry.objects.seen_since(reader.pk, Event.ALBUM_OPENED, album_id, since):
        record(Event.ALBUM_OPENED, actor=reader.pk, subject=album_id)


def record_titles(reader: User, album_ids: Iterable[UUID]) -> None:
    """Record a page of albums' titles as one entry."""
    record(Event.ALBUM_OPENED, actor=reader.pk, albums=[str(album_id) for album_id in album_ids])


def record_thumbnails_once(reader: User, image_ids: Iterable[UUID]) -> None:
    """Record those thumbnails that no page on record names. Raises AuditUnavailable."""
    since = timezone.now() - FOLDED_FOR
    if missing := AuditEntry.objects.thumbnails_not_seen_since(reader.pk, image_ids, since):
        record_thumbnails(reader, missing)


def record_thumbnails(reader: User, image_ids: Iterable[UUID]) -> None:
    """Record a page of thumbnails as one entry; each that is then asked for is folded into it."""
    images = [str(image_id) for image_id in image_ids]
    record(Event.THUMBNAILS_OPENED, actor=reader.pk, images=images)
