"""Acts of staff: an address each, a form that asks for the reason, a service that does it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.forms import has_unseen
from accounts.staff_rights import Rights
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest
from accounts.web.staff_site import staff_rights
from audit.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_REASON = 200
Row = TypeVar("Row", bound=Model)


class ReasonForm(forms.Form, Generic[Row]):
    """The reason; the trail keeps it with the person who acted."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        help_text=_(
            "The audit trail keeps this for good. Write no names and nothing about a picture."
        ),
    )

    def __init__(self, *args: Any, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if has_unseen(reason):
            sentence = _("Use letters, digits, spaces and visible punctuation.")
            raise ValidationError(sentence, code="invalid_reason")
        return reason

    def wishes(self) -> dict[str, Any]:
        """Return what the service is asked for."""
        return {"reason": self.cleaned_data["reason"]}


@dataclass(frozen=True)
class Act(Generic[Row]):
    """One thing staff may do to one row. `name` ends its address."""

    name: str
    do: Callable[..., object]
    title: "_StrPromise"
    explanation: "_StrPromise"
    done: "_StrPromise"
    offered: Callable[[Row], bool] = lambda row: True
    form: type[ReasonForm[Row]] = ReasonForm
    superusers_only: bool = False
    dangerous: bool = False


class ActingAdmin(ReadOnlyAdmin[Row]):
    """Read-only, except for `acts`. The service decides; what is offered here is only for
    display."""

    acts: tuple[Act[Row], ...] = ()
    row_name = ""  # what the services call the row

    def get_urls(self) -> list[URLPattern]:
        ours = []
        for act in self.acts:
            # Unlocked: somebody who finds a staff screen open must not act in that person's name.
            view = require_http_methods(["GET", "HEAD", "POST"])(unlocked(partial(self._act, act)))
            guarded, name = self.admin_site.admin_view(view), self._name_of(act.name)
            ours.append(path(f"<uuid:row_id>/{act.name}/", guarded, name=name))
        return [*ours, *super().get_urls()]

    def _name_of(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _act(self, act: Act[Row], request: PersonRequest, row_id: uuid.UUID) -> HttpResponse:
        row = get_object_or_404(self.model, pk=row_id)
        form = act.form(request.POST if request.method == "POST" else None, row=row)
        if form.is_valid():
            try:
                act.do(**{self.row_name: row}, by=request.user, **form.wishes())
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                messages.success(request, act.done % {"name": row})
                return redirect(f"admin:{self._name_of('change')}", row.pk)
        context = {"act": act, "row": row, "back": self._address_of("change", row)}
        return self.page(request, "admin/act.html", form, title=act.title, **context)

    def page(
        self, request: HttpRequest, template: str, form: forms.Form | None, **context: Any
    ) -> HttpResponse:
        shown = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            **context,
        }
        status = 422 if form and form.errors else 200
        return TemplateResponse(request, template, shown, status=status)

    def _address_of(self, page: str, row: Row) -> str:
        return reverse(f"admin:{self._name_of(page)}", args=[row.pk])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row, is_superuser = context["original"], staff_rights(request) == Rights.SUPERUSER
        context["acts"] = [
            {"address": self._address_of(act.name, row), "act": act}
            for act in self.acts
            if act.offered(row) and (is_superuser or not act.superusers_only)
        ]
        return super().render_change_form(request, context, *args, **kwargs)
