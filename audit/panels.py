"""What the first page of staff shows of each table: figures, and how many of something a day.

A panel belongs to the staff page of its table: whoever may not see that page sees none of it. It is
counted from rows, always with as many queries, and nothing is decrypted for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from django.db.models import Count, Model, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

DAYS = 14
# Of the drawing, in its own units.
HIGH, STEP = 40, 10


@dataclass(frozen=True)
class Figure:
    """A number, a size, a day or a word. `of_100`: drawn as a bar, too. `is_bad`: look at it."""

    name: "Words"
    value: "Words | int"
    address: str = ""
    of_100: int | None = None
    is_bad: bool = False


@dataclass(frozen=True)
class Bar:
    """One day of a chart, and where it is drawn."""

    day: date
    count: int
    x: int
    y: int

    @property
    def height(self) -> int:
        return HIGH - self.y


@dataclass(frozen=True)
class Chart:
    title: "Words"
    bars: list[Bar]

    @property
    def is_anything(self) -> bool:
        return any(bar.count for bar in self.bars)


@dataclass(frozen=True)
class Panel:
    """`place`: where it stands on the page."""

    place: int
    title: "Words"
    figures: list[Figure]
    chart: Chart | None = None


@runtime_checkable
class HasPanels(Protocol):
    """A staff page of a table that shows something of it on the first page."""

    def panels(self) -> list[Panel]: ...


def in_short(time: datetime | None) -> str:
    """Return a time as the site's own pages write it: lists of staff pages are wide enough."""
    return date_format(timezone.localtime(time), "SHORT_DATETIME_FORMAT") if time else "–"


def since() -> datetime:
    """Return the beginning of the first of the days that are shown."""
    first = timezone.localdate() - timedelta(days=DAYS - 1)
    return timezone.make_aware(datetime.combine(first, time.min))


def a_day(rows: QuerySet[Model], column: str) -> dict[date, int]:
    """Return how many of these rows there are of each of the last days, by the time in a column."""
    lately = rows.filter(**{f"{column}__gte": since()}).order_by()
    counted = lately.annotate(day=TruncDate(column)).values("day").annotate(count=Count("pk"))
    return {row["day"]: row["count"] for row in counted}


def chart_of(title: "Words", counts: Mapping[date, int]) -> Chart:
    first, most = since().date(), max([1, *counts.values()])
    bars = []
    for n in range(DAYS):
        day = first + timedelta(days=n)
        count = counts.get(day, 0)
        # One of a thousand is not none.
        height = max(1, round(HIGH * count / most)) if count else 0
        bars.append(Bar(day, count, n * STEP + 1, HIGH - height))
    return Chart(title, bars)
