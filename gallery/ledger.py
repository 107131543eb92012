"""Who opened an image, as the trail tells it: the owner's own view of it."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import Error
from django.db.models import QuerySet

from audit.events import Event, Outcome
from audit.models import AuditEntry


@dataclass
class Doings:
    """What one person did with one image."""

    opened: int = 0
    downloaded: int = 0
    last_opened: datetime | None = None


class Ledger:
    """The openings of one image, by person. Grid thumbnails do not count.

    `away` says that the trail's table does not answer: then nothing is known, not nothing done.
    """

    def __init__(self, image_id: uuid.UUID) -> None:
        self._people: dict[uuid.UUID, Doings] = defaultdict(Doings)
        try:
            for actor, event, time in self._entries(image_id):
                self._count(self._people[actor], event, time)
            self.away = False
        except Error:
            self.away = True

    @staticmethod
    def _entries(image_id: uuid.UUID) -> QuerySet[AuditEntry]:
        entries = AuditEntry.objects.filter(
            subject=image_id,
            event__in=[Event.IMAGE_OPENED, Event.IMAGE_DOWNLOADED],
            outcome=Outcome.DONE,
        )
        return entries.order_by("sequence").values_list("actor", "event", "time")

    @staticmethod
    def _count(doings: Doings, event: str, time: datetime) -> None:
        if event == Event.IMAGE_DOWNLOADED:
            doings.downloaded += 1
        else:
            doings.opened += 1
        doings.last_opened = time

    def of(self, person_id: uuid.UUID) -> Doings:
        return self._people[person_id]
