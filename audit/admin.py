"""The trail, for staff to read."""

import uuid
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from audit.filters import DaysFilter, EventFilter, OutcomeFilter
from audit.models import AuditEntry, PersonalFacts
from audit.panels import Panel
from audit.trail_panels import panels_of_the_trail
from audit.unreadable import as_id
from cryptocore.errors import CryptoError

AGENT_SHOWN = 60


if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:

    class ModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, row: Any) -> type["ModelAdmin"]:
            """Django lets nobody subscribe its own; the type checker must."""
            return cls


Row = TypeVar("Row", bound=Model)


class ReadOnlyAdmin(ModelAdmin[Row]):
    """For tables that oversight may read and nobody may touch: no adding, changing, deleting, no
    actions, and no request that could be meant to write. All staff may look, whatever
    permissions their accounts hold."""

    actions = None
    show_full_result_count = False  # counts a large table twice for every search
    show_facets = admin.ShowFacets.NEVER  # so do these, for every choice of a filter
    # What the search compares, one lookup each: with the text, and with an id that was typed.
    texts_searched: tuple[str, ...] = ()
    ids_searched: tuple[str, ...] = ()

    def panels(self) -> list[Panel]:
        """Return what the first page of staff shows of this table."""
        return []

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _refuse_writing(request)
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, extra_context=title)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _refuse_writing(request)
        return super().changeform_view(request, *args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        """Lead to the trail: nothing else remembers what happened to a row."""
        _refuse_writing(request)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        trail = reverse("admin:audit_auditentry_changelist")
        return redirect(f"{trail}?{urlencode({'q': str(self.subject_of(row) or '')})}")

    def subject_of(self, row: Row) -> uuid.UUID | None:
        """Return whom or what the trail calls this row."""
        subject: uuid.UUID | None = row.pk
        return subject

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        wanted = as_id(text)
        # SQLite folds the case of ASCII letters alone: the others are asked for as they may stand.
        spellings = {text, text.lower(), text.upper(), text.title()}
        either = [Q(**{one: spelling}) for one in self.texts_searched for spelling in spellings]
        either += [Q(**{lookup: wanted}) for lookup in self.ids_searched if wanted]
        return queryset.filter(reduce(or_, either, Q(pk__in=[]))), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters shown, and nothing else.

        Django allows every local column: `?password__startswith=a` would let staff guess a hash,
        or a wrapped key, one character after another.
        """
        return lookup in set(self._parameters())

    def _parameters(self) -> Iterator[str]:
        for one in self.list_filter:
            if isinstance(one, str):
                yield f"{one}__exact"
            elif isinstance(one, tuple):
                yield from (f"{one[0]}__{bound}" for bound in ("gte", "lt", "isnull"))
            else:
                yield from getattr(one, "names", [getattr(one, "parameter_name", None)])


def _refuse_writing(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ["sequence", "at", "event", "outcome", "actor", "subject", "request"]
    list_filter = [DaysFilter, EventFilter, OutcomeFilter, ("time", admin.DateFieldListFilter)]
    ordering = ["-sequence"]
    list_per_page = 100
    search_fields = ["actor"]  # shows the search box; get_search_results() does the search
    search_help_text = _("The id of a person, of a thing, or of a request (X-Request-ID).")
    fields = readonly_fields = (
        *("sequence", "at", "event", "outcome", "actor", "subject", "request"),
        "facts",
        "network",
        "browser",
        "leaf_hash_hex",
        "previous_hex",
        "chain_hex",
        "key_id",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Compare whole ids, so that the indexes answer and no other table is asked."""
        if not search_term.strip():
            return queryset, False
        wanted = as_id(search_term.strip())
        if wanted is None:
            return queryset.none(), False
        either = Q(actor=wanted) | Q(subject=wanted) | Q(request=wanted.hex)
        return queryset.filter(either), False

    def panels(self) -> list[Panel]:
        return panels_of_the_trail()

    def subject_of(self, row: AuditEntry) -> uuid.UUID | None:
        return row.subject

    @admin.display(description=_("time"), ordering="time")
    def at(self, entry: AuditEntry) -> str:
        time = timezone.localtime(entry.time)
        return f"{date_format(time, 'SHORT_DATE_FORMAT')}, {time:%H:%M:%S}"

    @admin.display(description=_("facts"))
    def facts(self, entry: AuditEntry) -> str:
        try:
            facts = entry.parsed().facts
        except CryptoError:
            return str(_("This entry does not verify."))
        return ", ".join(
            f"{name}: {' '.join(fact) if isinstance(fact, list) else fact}"
            for name, fact in facts.items()
        )

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


def _personal_facts(entry: AuditEntry) -> PersonalFacts:
    """Return those kept for `entry`; empty ones where there were none or they were erased."""
    return PersonalFacts.objects.filter(pk=entry.pk).first() or PersonalFacts(address="", agent="")
