"""The newest result, as people see it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import Error
from django.utils.formats import number_format

from audit.events import Event, Outcome
from audit.models import AuditEntry

LOOKED_THROUGH = 20


@dataclass(frozen=True)
class Result:
    """When everything at rest was last looked through, and what was found."""

    at: datetime
    strings: int
    people: int
    everybody: bool
    ways: int

    @property
    def grouped_strings(self) -> str:
        """How many strings, as a number of many digits is read: 12,345."""
        return number_format(self.strings, force_grouping=True)


def newest_result() -> Result | None:
    """Return the newest result that the audit key vouches for; None without one, or without it."""
    said = (Outcome.DONE, Outcome.FAILED)
    entries = AuditEntry.objects.filter(event=Event.ZERO_ACCESS_PROVEN, outcome__in=said)
    try:
        newest = list(entries.order_by("-sequence")[:LOOKED_THROUGH])
    except Error:
        return None
    return next(filter(None, map(_result, newest)), None)


def _result(entry: AuditEntry) -> Result | None:
    if not entry.is_authentic():
        return None
    told = entry.told()
    if told.event != Event.ZERO_ACCESS_PROVEN or "ways" not in told.facts:
        return None
    facts = told.facts
    everybody = facts.get("everybody") == "yes"
    return Result(told.time, facts["strings"], facts["people_tried"], everybody, facts["ways"])
