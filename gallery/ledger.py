"""What the trail says about an image: who opened it, and which signatures it saw in time."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import Error
from django.db.models import QuerySet

from audit.events import Event, Outcome
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from gallery.models import Statement, Subject
from gallery.storage import StorageAway

Openings = set[tuple[uuid.UUID | None, uuid.UUID | None]]  # an image, and who opened it
OPENINGS = [Event.IMAGE_OPENED, Event.IMAGE_DOWNLOADED]
SIGNED_AT = [
    Event.IMAGE_UPLOADED,
    Event.IMAGE_SHARED,
    Event.IMAGE_REVOKED,
    Event.IMAGE_RELOCKED,
    Event.IMAGE_TAKEN_OVER,
    Event.IMAGE_DETAILS_EDITED,
    Event.ALBUM_MADE,
    Event.ALBUM_CHANGED,
    Event.ALBUM_SHARED,
    Event.ALBUM_REVOKED,
    Event.ALBUM_REKEYED,
    Event.ALBUM_TAKEN_OVER,
    Event.TEAM_MADE,
    Event.TEAM_CHANGED,
    Event.TEAM_SHARED,
    Event.TEAM_REVOKED,
    Event.TEAM_REKEYED,
    Event.TEAM_TAKEN_OVER,
    Event.SUCCESSORS_MADE,
    Event.SUCCESSORS_NAMED,
    Event.SUCCESSORS_REMOVED,
    Event.SUCCESSORS_REKEYED,
]


@dataclass
class Activity:
    """What one person did with one image."""

    opened: int = 0
    downloaded: int = 0
    last_opened: datetime | None = None


class Ledger:
    """The openings of one image, by person. Grid thumbnails do not count.

    `away` says that the trail's table does not answer: then nothing is known, not nothing done.
    """

    def __init__(self, image_id: uuid.UUID) -> None:
        self._people: dict[uuid.UUID | None, Activity] = defaultdict(Activity)
        try:
            for actor, event, time in self._entries(image_id):
                activity = self._people[actor]
                if event == Event.IMAGE_DOWNLOADED:
                    activity.downloaded += 1
                else:
                    activity.opened += 1
                activity.last_opened = time
            self.away = False
        except Error:
            self.away = True

    @staticmethod
    def _entries(
        image_id: uuid.UUID,
    ) -> QuerySet[AuditEntry, tuple[uuid.UUID | None, str, datetime]]:
        entries = AuditEntry.objects.filter(
            subject=image_id,
            event__in=OPENINGS,
            outcome=Outcome.DONE,
        )
        return entries.order_by("sequence").values_list("actor", "event", "time")

    def of(self, person_id: uuid.UUID) -> Activity:
        return self._people[person_id]


def unopened(
    image_ids: Collection[uuid.UUID], *, reader: uuid.UUID, before: datetime | None = None
) -> set[uuid.UUID]:
    """Return which of these images a person never opened, or not before some time; none while the
    trail is unavailable."""
    opened = AuditEntry.objects.filter(
        actor=reader, subject__in=image_ids, event__in=OPENINGS, outcome=Outcome.DONE
    )
    if before:
        opened = opened.filter(time__lt=before)
    try:
        return set(image_ids) - set(opened.values_list("subject", flat=True))
    except Error:
        return set()


def openers_of(
    image_ids: Collection[uuid.UUID],
) -> set[tuple[uuid.UUID | None, uuid.UUID | None]] | None:
    """Return who opened which of these images; None while the trail is unavailable."""
    opened = AuditEntry.objects.filter(
        subject__in=image_ids, event__in=OPENINGS, outcome=Outcome.DONE
    )
    try:
        return set(opened.order_by().values_list("subject", "actor").distinct())
    except Error:
        return None


# ---- signatures of a stolen key --------------------------------------------------------------


class TrailAway(StorageAway):
    """The trail's table does not answer, so nobody can know which signatures it saw."""


def saw_before(moment: datetime, statement: Statement, subject: Subject) -> bool:
    """Whether an entry of the trail older than `moment` names this very statement.

    The time in a statement is its signer's word, and a thief can sign with any time. Somebody who
    has the stolen key and the database, but not the audit key, cannot add an entry that counts.
    Raises TrailAway.
    """
    entries = AuditEntry.objects.filter(
        subject=subject.pk, event__in=SIGNED_AT, time__lt=moment
    ).order_by("-sequence")
    try:
        return any(_names(entry, statement, subject, moment) for entry in entries.proofs())
    except Error:
        raise TrailAway from None


def _names(entry: AuditEntry, statement: Statement, subject: Subject, moment: datetime) -> bool:
    try:
        leaf = entry.parsed()
    except CryptoError:
        return False
    about = (leaf.subject, leaf.actor, leaf.facts.get(statement.kind))
    if about != (subject.pk, subject.owner_id, statement.digest) or leaf.time >= moment:
        return False
    return leaf.event in SIGNED_AT and entry.is_authentic()
