"""What people may ask of a list of images: from whom, since when, only some of it, in which order.

It stands in the address: of these words none says what is in a picture.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.query import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from gallery.day_words import WEEK
from gallery.models import Grant, Placement

Row = TypeVar("Row", Grant, Placement)
Wishes = dict[str, str]

NEWEST_FIRST = ("-granted_at", "pk")
BY_SENDER = ("sender", *NEWEST_FIRST)
NEW, ENDING, UNSHARED, SENDER = "new", "ending", "unshared", "sender"
SINCE = {
    "today": _("Today"),
    "week": _("The last 7 days"),
    "month": _("The last 30 days"),
    "year": _("The last 365 days"),
}
DAYS = {"today": 0, "week": 6, "month": 29, "year": 364}


class FilterForm(forms.Form):
    """What every list takes. An empty field asks for nothing."""

    when = forms.ChoiceField(
        choices=[("", _("Any time")), *SINCE.items()], required=False, label=_("When")
    )
    only = forms.ChoiceField(required=False)

    parts: tuple[tuple[str, Any], ...] = (("", _("All")), (ENDING, _("Ending soon")))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        only = self.fields["only"]
        assert isinstance(only, forms.ChoiceField)
        only.choices = self.parts

    @property
    def wishes(self) -> Wishes:
        """What is asked for; of a field that is wrong, nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class SharedFilterForm(FilterForm):
    who = forms.CharField(max_length=32, required=False, label=_("From"))
    by = forms.ChoiceField(
        choices=[("", _("By day")), (SENDER, _("By sender"))], required=False, label=_("Order")
    )

    parts = (("", _("All")), (NEW, _("New")), (ENDING, _("Ending soon")))


class OwnFilterForm(FilterForm):
    parts = (("", _("All")), (UNSHARED, _("Not shared yet")), (ENDING, _("Ending soon")))


def address_of(place: str, wishes: Wishes) -> str:
    """Return what an image's address has behind it, so that its page knows the list it is in."""
    return "?" + urlencode({"from": place, **wishes})


def order_of(wishes: Wishes) -> tuple[str, ...]:
    return BY_SENDER if wishes.get("by") == SENDER else NEWEST_FIRST


def narrowed(
    rows: QuerySet[Row], wishes: Wishes, *, new: Collection[uuid.UUID], owner: User
) -> QuerySet[Row]:
    """Return those of these rows that are asked for. `new`: the images that count as new. Those
    of this owner end for others."""
    only, soon = wishes.get("only"), timezone.now() + WEEK
    if who := wishes.get("who"):
        rows = rows.filter(image__owner__username=who)
    if when := wishes.get("when"):
        rows = rows.filter(granted_at__gte=_morning(days_ago=DAYS[when]))
    if only == NEW:
        rows = rows.filter(image__in=new)
    elif only == ENDING:
        ends_for_others = Exists(_others_of(Grant).filter(ends_at__lt=soon))
        rows = rows.filter(Q(ends_at__lt=soon) | Q(ends_for_others, image__owner=owner))
    elif only == UNSHARED:
        rows = rows.filter(~Exists(_others_of(Grant)), ~Exists(_others_of(Placement)))
    if wishes.get("by") == SENDER:
        rows = rows.annotate(sender=F("image__owner__username"))
    return rows


def _morning(*, days_ago: int) -> datetime:
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return start - timedelta(days=days_ago)


def _others_of(kind: type[Grant] | type[Placement]) -> QuerySet[Any]:
    rows = kind._default_manager.filter(image=OuterRef("image"), ended_at=None)
    return rows.exclude(pk=OuterRef("pk"))
