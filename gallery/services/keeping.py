"""Until when an image is kept: its owner chooses a date, and from then on it is deleted.

Deleting needs nobody's keys, so `purge` does it, and the owner's next page. The row says when, as
an index; what counts is the trail's entry about the owner's choice (docs/format.md, "The date of
deletion").
"""

import uuid
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.custody import Keyring
from accounts.keys.recipients import hold_people
from audit import events
from audit.events import Event
from gallery.errors import Altered, HeadMoved
from gallery.heads import Heads
from gallery.image_trail import ImageTrails, date_facts
from gallery.models import SealedImage
from gallery.opening import Opener
from gallery.readers import readers_as_signed
from gallery.sealing import MANIFEST
from gallery.services.acts import anew_if_moved, owners_access, starting_anew
from gallery.services.deleting import delete_now
from gallery.services.notices import NoticeKind, record_notices, send_notices


def keep_until(*, keyring: Keyring, image_id: uuid.UUID, until: datetime | None) -> None:
    """Choose when the owner's image is deleted; None: only when they delete it. Its readers get a
    notice.

    Raises NotYours, AccessEnded, NotAllowed, Altered, TrailAway, AuditUnavailable or HeadMoved;
    then nothing has changed.
    """
    starting_anew(lambda: _choose_once(keyring, image_id, until))


def _choose_once(keyring: Keyring, image_id: uuid.UUID, until: datetime | None) -> None:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    image = access.image
    with anew_if_moved(access):
        # Whose image it is, their signature says. Not what the row says of the date: an altered
        # one is mended by choosing once more.
        opener.head(MANIFEST, image)
        readers = readers_as_signed(image, opener).signed
    number = ImageTrails().take_in_begun(image.pk).next_date_number(image)
    with (
        events.recorded(
            Event.IMAGE_KEEP_UNTIL_SET,
            actor=image.owner_id,
            subject=image.pk,
            in_table=True,
            **date_facts(until, number),
        ),
        transaction.atomic(),
    ):
        held = SealedImage.objects.select_for_update().get(pk=image.pk)
        if held.deleted_at is not None or held.keep_until != image.keep_until:
            raise HeadMoved
        hold_people([grant.reader for grant in readers])
        SealedImage.objects.filter(pk=image.pk).update(keep_until=until)
        recipients = [grant for grant in readers if grant.reader_id != image.owner_id]
        sent = send_notices(NoticeKind.KEEP_UNTIL, recipients, ends_at=until)
    record_notices([sent])


def due_images() -> QuerySet[SealedImage]:
    """Return the rows whose date of deletion has come."""
    return SealedImage.objects.filter(keep_until__lte=timezone.now(), deleted_at=None)


def delete_due(due: QuerySet[SealedImage]) -> int:
    """Delete these images, and return how many: each only if its owner signed it and chose this
    very date. Raises TrailAway, and as deleting does."""
    heads, deleted = Heads(), 0
    for image in due.select_related("owner"):
        with suppress(Altered, HeadMoved):  # verify_images names it; what moved on is tried again
            heads.manifest(image)
            delete_now(image, reason="keep-until")
            deleted += 1
    return deleted
