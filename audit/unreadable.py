"""What stands for a stored value that is none of its column's type (imageshare/sqlite, …/postgres).

Nothing we write has these values, and they fit nothing: no signature, no owner, no certificate. A
time long past, so that what it ends has ended.
"""

import uuid
from datetime import UTC, datetime

from django.db.models import Model

NO_ID = uuid.UUID(int=0)
NO_NUMBER = -1
NO_TEXT = "\N{REPLACEMENT CHARACTER}"
NO_TIME = datetime(1900, 1, 1, tzinfo=UTC)
# Before and after these a local time, or an hour more, may be no date any more.
AFTER_ALL_TIMES = datetime(9999, 1, 1, tzinfo=UTC)


def readable_time(time: datetime) -> datetime:
    return time if NO_TIME <= time < AFTER_ALL_TIMES else NO_TIME


def unreadable_columns(row: Model) -> list[str]:
    """Return the names of the columns of a row that hold no value of their type."""
    stand_ins = (NO_ID, NO_NUMBER, NO_TEXT, NO_TIME)
    columns = row._meta.concrete_fields
    return [one.name for one in columns if getattr(row, one.attname) in stand_ins]


def as_id(typed: str) -> uuid.UUID | None:
    """Return the id that somebody typed; None if it is none."""
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None
