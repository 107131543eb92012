"""Times as operators type them."""

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time, in the installation's zone if it names none. Raises ValueError."""
    time = parse_datetime(text)
    if time is None:
        raise ValueError
    return time if timezone.is_aware(time) else timezone.make_aware(time)
