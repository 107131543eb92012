"""The newest result, as people see it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format

from audit.events import AuditUnavailable, Event, Outcome
from audit.vouched import vouched

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
    try:
        looks = vouched((Event.ZERO_ACCESS_PROVEN,), outcomes=said, at_most=LOOKED_THROUGH)
    except AuditUnavailable:
        return None
    look = next((look for look in looks if "ways" in look.facts), None)
    if look is None:
        return None
    facts, everybody = look.facts, look.facts.get("everybody") == "yes"
    return Result(look.time, facts["strings"], facts["people_tried"], everybody, facts["ways"])
