"""How staff narrow down the trail: by event, outcome, and the days from … to."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from audit.events import Event, Outcome
from audit.models import AuditEntry


class _ColumnFilter(admin.SimpleListFilter):
    """A filter offering every known value, without asking a large table which of them occur."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        if self.value() is None:
            return queryset
        if self.value() not in dict(self.lookup_choices):
            return queryset.none()  # and it may be what a database refuses to be asked for
        return queryset.filter(**{str(self.parameter_name): self.value()})


class EventFilter(_ColumnFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[AuditEntry]"
    ) -> list[Any]:
        return [(event.value, event.value) for event in Event]


class OutcomeFilter(_ColumnFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[AuditEntry]"
    ) -> list[Any]:
        return [(value, str(label)) for value, label in Outcome.choices]


class DaysFilter(admin.ListFilter):
    """The entries of the days `from` … `to`, both included, in the site's time zone."""

    title = _("day")
    template = "admin/days_filter.html"
    names = ("from", "to")

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.days = {name: _day(params.pop(name, [""])[-1]) for name in self.names}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        first, last = self.days["from"], self.days["to"]
        if first:
            queryset = queryset.filter(time__gte=_midnight(first))
        if last:
            queryset = queryset.filter(time__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """One form rather than many links: its two days, and whatever else is asked for."""
        kept = {name: values[-1] for name, values in changelist.filter_params.items()}
        days = {name: day.isoformat() if day else "" for name, day in self.days.items()}
        yield {
            "first": days["from"],
            "last": days["to"],
            "kept": {name: value for name, value in kept.items() if name not in days and value},
        }


def _day(text: str) -> date | None:
    """Return the day that was typed; None for none, and for what is no day of this world's."""
    try:
        day = parse_date(text)
        return day if day and 1 < day.year < date.max.year else None
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
