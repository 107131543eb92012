"""Recording that content leaves, before it does; repeats within ten minutes are folded."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from audit.events import Event, record
from audit.models import AuditEntry
from gallery.models import Rendition

FOLDED_FOR = timedelta(minutes=10)

EVENTS = {
    Rendition.Name.ORIGINAL: Event.IMAGE_DOWNLOADED,
    Rendition.Name.PREVIEW: Event.IMAGE_OPENED,
    Rendition.Name.DESCRIPTION: Event.IMAGE_OPENED,
}


def record_opening(reader: User, image_id: UUID, rendition: str) -> None:
    """Record that a rendition is released. Raises AuditUnavailable: then it must not be."""
    since = timezone.now() - FOLDED_FOR
    if rendition == Rendition.Name.THUMBNAIL:
        if not AuditEntry.objects.thumbnail_seen_since(reader.pk, image_id, since):
            record_thumbnails(reader, [image_id])
        return
    event = EVENTS[Rendition.Name(rendition)]
    if not AuditEntry.objects.seen_since(reader.pk, event, image_id, since):
        record(event, actor=reader.pk, subject=image_id)


def record_album(reader: User, album_id: UUID) -> None:
    """Record that an album's title and list are released. Raises AuditUnavailable."""
    since = timezone.now() - FOLDED_FOR
    if not AuditEntry.objects.seen_since(reader.pk, Event.ALBUM_OPENED, album_id, since):
        record(Event.ALBUM_OPENED, actor=reader.pk, subject=album_id)


def record_titles(reader: User, album_ids: Iterable[UUID]) -> None:
    """Record a page of albums' titles as one entry."""
    record(Event.ALBUM_OPENED, actor=reader.pk, albums=[str(album_id) for album_id in album_ids])


def record_thumbnails(reader: User, image_ids: Iterable[UUID]) -> None:
    """Record a page of thumbnails as one entry; each that is then asked for is folded into it."""
    images = [str(image_id) for image_id in image_ids]
    record(Event.THUMBNAILS_OPENED, actor=reader.pk, images=images)
