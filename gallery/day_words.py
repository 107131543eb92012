"""Days as people say them: today, yesterday, Monday, 3 March."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

WEEK = timedelta(days=7)


def written(moment: datetime, form: str) -> str:
    """Return a time where its reader is, in one of Django's forms of their language.

    Everything here is written by this: `date_format` alone would write the hour of UTC.
    """
    return date_format(timezone.localtime(moment), form)


def day_of(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def said(day: date) -> str:
    """Return a past day in words; the weekday alone names none but one of the last six."""
    today = timezone.localdate()
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if today - WEEK < day < today:
        return date_format(day, "l")
    return date_format(day, "MONTH_DAY_FORMAT" if day.year == today.year else "DATE_FORMAT")


def ends_soon(end: datetime | None) -> bool:
    return end is not None and end < timezone.now() + WEEK


def end_said(end: datetime) -> str:
    """Return when an access ends that ends soon."""
    day, today = day_of(end), timezone.localdate()
    if day <= today:
        return _("Ends today")
    if day == today + timedelta(days=1):
        return _("Ends tomorrow")
    if day < today + WEEK:
        return _("Ends %(weekday)s") % {"weekday": date_format(day, "l")}
    return _("Ends %(day)s") % {"day": date_format(day, "MONTH_DAY_FORMAT")}
