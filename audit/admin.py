"""The trail, for staff to read."""

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from audit.events import Event, Outcome
from audit.models import AuditEntry, PersonalFacts
from cryptocore.errors import CryptoError

AGENT_SHOWN = 60


class ReadOnlyAdmin(admin.ModelAdmin):
    """For tables that oversight may read and nobody may touch: no adding, changing, deleting, no
    actions, and no request that could be meant to write."""

    actions = None
    show_full_result_count = False  # counts a large table twice for every search

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _refuse_writing(request)
        return super().changelist_view(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _refuse_writing(request)
        return super().changeform_view(request, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _refuse_writing(request)
        return super().history_view(request, *args, **kwargs)


def _refuse_writing(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied


class _ColumnFilter(admin.SimpleListFilter):
    """A filter offering every known value, without asking a large table which of them occur."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        if self.value() not in dict(self.lookup_choices):
            return queryset.none()  # and it may be what a database refuses to be asked for
        return queryset.filter(**{self.parameter_name: self.value()})


class EventFilter(_ColumnFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[Any]:
        return [(event.value, event.value) for event in Event]


class OutcomeFilter(_ColumnFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[Any]:
        return Outcome.choices


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "time", "event", "outcome", "actor", "subject", "request"]
    list_filter = [EventFilter, OutcomeFilter, ("time", admin.DateFieldListFilter)]
    ordering = ["-sequence"]
    list_per_page = 100
    search_fields = ["actor"]  # shows the search box; get_search_results() does the search
    search_help_text = _("The id of a person, of a thing, or of a request (X-Request-ID).")
    fields = readonly_fields = [
        *list_display,
        "facts",
        "network",
        "browser",
        "leaf_hash_hex",
        "previous_hex",
        "chain_hex",
        "key_id",
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Compare whole ids, so that the indexes answer and no other table is asked."""
        if not search_term.strip():
            return queryset, False
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        either = Q(actor=wanted) | Q(subject=wanted) | Q(request=wanted.hex)
        return queryset.filter(either), False

    @admin.display(description=_("facts"))
    def facts(self, entry: AuditEntry) -> str:
        try:
            told = entry.told().facts
        except CryptoError:
            return str(_("This entry does not verify."))
        return ", ".join(f"{name}: {_in_words(fact)}" for name, fact in told.items())

    @admin.display(description=_("network"))
    def network(self, entry: AuditEntry) -> str:
        return _personal_facts(entry).address

    @admin.display(description=_("browser"))
    def browser(self, entry: AuditEntry) -> str:
        return _personal_facts(entry).agent[:AGENT_SHOWN]

    @admin.display(description=_("leaf hash"))
    def leaf_hash_hex(self, entry: AuditEntry) -> str:
        return entry.leaf_hash.hex()

    @admin.display(description=_("chain value before"))
    def previous_hex(self, entry: AuditEntry) -> str:
        return entry.previous.hex()

    @admin.display(description=_("chain value"))
    def chain_hex(self, entry: AuditEntry) -> str:
        return entry.chain.hex()


def _in_words(fact: Any) -> str:
    return " ".join(fact) if isinstance(fact, list) else str(fact)


def _personal_facts(entry: AuditEntry) -> PersonalFacts:
    """Return those kept for `entry`; empty ones where there were none or they were erased."""
    return PersonalFacts.objects.filter(pk=entry.pk).first() or PersonalFacts(address="", agent="")
