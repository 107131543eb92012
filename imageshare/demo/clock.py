"""The clock of a demonstration, set back to days that it shall have lived through.

Nothing is dated afterwards: keys, statements, grants and the trail are made by the services of any
installation, one after the other, while the clock of this process stands at that day. What they
sign and chain is therefore as whole as if those days had passed; that they had not, only whoever
set the clock can know.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone


class Clock:
    """Goes on from wherever it is set to."""

    def __init__(self) -> None:
        self._real = timezone.now
        self._behind = timedelta(0)
        self.started = self._real()

    def now(self) -> datetime:
        return self._real() - self._behind

    def set_to(self, moment: datetime) -> None:
        """Go to a moment, unless that is behind already: no day is lived through twice."""
        if moment > self.now():
            self._behind = self._real() - min(moment, self._real())

    def days_ago(self, days: float, hour: float = 0) -> datetime:
        """Return an hour of the day that many days before the demonstration began."""
        midnight = self.started.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=days) + timedelta(hours=hour)

    @contextmanager
    def running_from(self, moment: datetime) -> Iterator[None]:
        """Have all of this process read this clock, until it is done."""
        self._behind = self._real() - moment
        timezone.now = self.now
        try:
            yield
        finally:
            timezone.now = self._real
