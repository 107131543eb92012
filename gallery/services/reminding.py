"""Reminding people before access ends: a notice to the reader, and one to the owner.

`purge` does it for everybody, and a person's pages with open keys for that person: it works without
cron. A row alone is believed in nothing: the owner must have signed that end.
"""

import uuid
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.keys.recipients import hold_people
from accounts.models import User
from gallery.errors import Altered
from gallery.heads import Heads
from gallery.models import Grant, SealedImage
from gallery.services.notices import NoticeKind, record_notices, send_notices

IMAGES_AT_ONCE = 20  # of one page; the next one goes on


def due_reminders() -> QuerySet[Grant]:
    """Return the rows whose access ends soon and whose people were not reminded of that end.

    Not of access that was given for less than the time of the reminder: that end is news to nobody.
    """
    if not settings.REMIND_DAYS_BEFORE_END:
        return Grant.objects.none()
    now, ahead = timezone.now(), timedelta(days=settings.REMIND_DAYS_BEFORE_END)
    return (
        Grant.objects.filter(ended_at=None, ends_at__gt=now, ends_at__lte=now + ahead)
        .filter(granted_at__lt=F("ends_at") - ahead, image__deleted_at=None)
        .exclude(reader=F("owner"))
        .exclude(reminded_of=F("ends_at"))
    )


def due_reminders_of(person: User) -> QuerySet[Grant]:
    """Return those that are due to a person as owner or as reader."""
    return due_reminders().filter(Q(reader=person) | Q(owner=person))


def remind(due: QuerySet[Grant], *, at_most: int | None = None) -> None:
    """Send the reminders that are due, of so many images at most. Raises TrailAway."""
    grants: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for grant in due.select_related("image__owner", "reader").order_by("ends_at"):
        grants[grant.image_id].append(grant)
    heads, images = Heads(), list(grants)[:at_most]
    heads.prepare(images)
    for image in images:
        with suppress(Altered):  # verify_images names it
            _send([grant for grant in grants[image] if heads.is_signed(grant)])


def _send(signed: list[Grant]) -> None:
    """Send the reminders of one image. Each end is claimed with its notices: nobody is reminded of
    it twice, whichever pages and commands come at once."""
    if not signed:
        return
    image = signed[0].image
    with transaction.atomic():
        SealedImage.objects.select_for_update().get(pk=image.pk)
        rows = due_reminders().filter(pk__in=[grant.pk for grant in signed])
        still = dict(rows.values_list("pk", "ends_at"))
        due = [grant for grant in signed if still.get(grant.pk) == grant.ends_at]
        hold_people([image.owner, *(grant.reader for grant in due)])
        rows.update(reminded_of=F("ends_at"))
        sent = [
            send_notices(NoticeKind.ENDS_SOON, due),
            send_notices(NoticeKind.READERS_END_SOON, due[:1]),  # the first end of them
        ]
    record_notices(sent)
