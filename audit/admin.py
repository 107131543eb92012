"""The trail, for staff to read."""

import uuid
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import or_
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from audit.filters import DaysFilter, EventFilter, OutcomeFilter
from audit.models import AuditEntry, PersonalFacts
from audit.naming import ids_of, names_of, with_name
from audit.panels import Panel
from audit.tables import as_table
from audit.trail_panels import panels_of_the_trail
from audit.unreadable import as_id
from cryptocore.errors import CryptoError

AGENT_SHOWN = 60
EXPORTED_AT_MOST, EXPORTED_AT_ONCE = 50_000, 500  # rows


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
    # The columns of the table to keep, where there is one: of rows(), as cells() fills them.
    exported: tuple[str, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        if not self.exported:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        view = self.admin_site.admin_view(require_safe(self._export))
        return [path("export/", view, name=name), *super().get_urls()]

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with what the list shows under the same search and filters, of all its pages."""
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            raise BadRequest from None
        rows = found[:EXPORTED_AT_MOST].iterator(chunk_size=EXPORTED_AT_ONCE)
        return as_table(self.exported, self._cells(rows), name=str(self.opts.model_name))

    def _cells(self, rows: Iterator[Row]) -> Iterator[Sequence[str]]:
        while chunk := list(islice(rows, EXPORTED_AT_ONCE)):
            self.prepare(chunk)
            yield from map(self.cells, chunk)

    def prepare(self, rows: Sequence[Row]) -> None:
        """Add to the rows of a page what is asked for all of them at once."""

    def cells(self, row: Row) -> Sequence[str]:
        """Return a row of the table to keep."""
        raise NotImplementedError

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        self.prepare(changelist.result_list)
        return changelist

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Row | None:
        row = super().get_object(request, object_id, from_field)
        if row:
            self.prepare([row])
        return row

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
    list_display = ["sequence", "at", "event", "outcome", "by", "about", "request"]
    exported = (
        *("sequence", "time", "event", "outcome", "actor", "actor_name", "subject"),
        *("subject_name", "request"),
    )
    list_filter = [DaysFilter, EventFilter, OutcomeFilter, ("time", admin.DateFieldListFilter)]
    ordering = ["-sequence"]
    list_per_page = 100
    search_fields = ["actor"]  # shows the search box; get_search_results() does the search
    search_help_text = _(
        "A username, or the id of a person, of a thing, or of a request (X-Request-ID)."
    )
    fields = readonly_fields = (
        *("sequence", "at", "event", "outcome", "by", "about", "request"),
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
        """Compare whole ids, so that the indexes answer: of a name, the id of its person."""
        typed = search_term.strip()
        if not typed:
            return queryset, False
        if wanted := as_id(typed):
            either = Q(actor=wanted) | Q(subject=wanted) | Q(request=wanted.hex)
            return queryset.filter(either), False
        found = ids_of(typed)
        return queryset.filter(Q(actor__in=found) | Q(subject__in=found)), False

    def panels(self) -> list[Panel]:
        return panels_of_the_trail()

    def subject_of(self, row: AuditEntry) -> uuid.UUID | None:
        return row.subject

    def prepare(self, rows: Sequence[AuditEntry]) -> None:
        names = names_of(one for entry in rows for one in (entry.actor, entry.subject))
        for entry in rows:
            entry.names = names

    def cells(self, entry: AuditEntry) -> Sequence[str]:
        actor, subject = entry.actor, entry.subject
        known = [entry.names.get(one, "") if one else "" for one in (actor, subject)]
        return (
            *(str(entry.sequence), entry.time.isoformat(), entry.event, entry.outcome),
            *(str(actor or ""), known[0], str(subject or ""), known[1]),
            entry.request or "",
        )

    @admin.display(description=_("by"), ordering="actor")
    def by(self, entry: AuditEntry) -> str:
        return with_name(entry.actor, entry.names)

    @admin.display(description=_("about"), ordering="subject")
    def about(self, entry: AuditEntry) -> str:
        return with_name(entry.subject, entry.names)

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
