"""Deleting an image: every key and every stored byte goes; an empty row stays for the people who
had it."""

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import hold_people
from accounts.models import WrappedKey
from audit.events import Event
from gallery import storage
from gallery.models import Ended, SealedImage, SuccessorKey
from gallery.readers import live_grants
from gallery.sealing import SHARE, head_of
from gallery.services.acts import (
    end_rows,
    hold,
    owners_access,
    owners_act,
    starting_anew,
)
from gallery.services.notices import NoticeKind, record_notices, send_notices


def delete_image(*, keyring: Keyring, image_id: uuid.UUID) -> None:
    """Delete the owner's image for everybody. Raises NotYours, AccessEnded or NotAllowed."""
    starting_anew(lambda: delete_now(owners_access(keyring, image_id).image))


def delete_now(image: SealedImage, *, reason: str = "asked") -> None:
    """Delete an image of which the caller knows that its owner wants it. Raises HeadMoved."""
    head, grants = head_of(SHARE, image.pk), live_grants(image)
    names = list(image.renditions.values_list("storage_name", flat=True))
    with owners_act(Event.IMAGE_DELETED, image, reason=reason):
        with transaction.atomic():
            hold(image, head)
            hold_people([grant.reader for grant in grants])
            for rows in (image.grants, image.placements, image.invited):
                end_rows(rows.filter(ended_at=None), Ended.DELETED)
            WrappedKey.objects.filter(subject=image.pk).delete()
            SuccessorKey.objects.filter(image=image).delete()
            image.renditions.all().delete()
            image.deleted_at = timezone.now()
            image.save(update_fields=["deleted_at"])
            recipients = [grant for grant in grants if grant.reader_id != image.owner_id]
            sent = send_notices(NoticeKind.DELETED, recipients)
        storage.discard(names)
        truncate_write_ahead_log()
    record_notices([sent])
