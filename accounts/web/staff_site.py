"""The staff pages: open to people whose rights are believed, and refused, with a reason, to others.

The trail proves rights. Only keys that were made here, and that the password opens, prove that it
is that person who asks: anybody could write a password hash into a row.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.custody import DoesNotOpen
from accounts.services.deserving import require_own_keys
from accounts.staff_rights import (
    Rights,
    claimed_by,
    people_with_unproven_rights,
    record_refused,
    rights_of,
)
from accounts.web.answers import refusal
from accounts.web.decorators import View, unlocked
from accounts.web.kept import Kept
from accounts.web.requests import PersonRequest, open_keys
from audit.panels import DAYS, HasPanels, Panel

Same = TypeVar("Same", bound=Callable[..., HttpResponseBase])
RIGHTS = Kept[Rights]("_staff_rights")


class StaffSite(AdminSite):
    """Every page below /admin/ asks here. Without a trail to ask all of them answer 503."""

    site_header = site_title = index_title = gettext_lazy("Staff")
    enable_nav_sidebar = False  # base_site.html names the same few places in a row

    def has_permission(self, request: HttpRequest) -> bool:
        return staff_rights(request) >= Rights.STAFF

    def admin_view(self, view: Same, cacheable: bool = False) -> Same:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.has_permission(request):
                return unlocked(_with_own_keys(guarded))(request, *args, **kwargs)
            user = request.user
            if not user.is_authenticated or claimed_by(user) == Rights.NONE:
                return guarded(request, *args, **kwargs)
            record_refused(user)
            sentence = _(
                "Your account is marked as staff, but nothing on record made it so. Nothing was "
                "changed. If it is right, an operator can confirm it with: manage.py confirm_staff "
                "%(name)s"
            )
            return refusal(request, 403, "staff_unproven", sentence % {"name": user.username})

        return cast(Same, inner)  # Django says that a view stays what it was

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show at once to all staff whose rights nobody gave, which version this is, and a panel
        or more of each table they may see."""
        context = {
            "unproven": people_with_unproven_rights(),
            "version": settings.VERSION,
            "panels": sorted(self.panels(request), key=lambda panel: panel.place),
            "days": DAYS,
        }
        return super().index(request, {**(extra_context or {}), **context})

    def panels(self, request: HttpRequest) -> Iterator[Panel]:
        for page in self._registry.values():
            if isinstance(page, HasPanels) and page.has_view_permission(request):
                yield from page.panels()


def staff_rights(request: HttpRequest) -> Rights:
    """Return the rights of this request's person, asked for once. Raises AuditUnavailable."""
    return RIGHTS.of(request, _rights_now)


def _rights_now(request: HttpRequest) -> Rights:
    return rights_of(request.user) if request.user.is_authenticated else Rights.NONE


def _with_own_keys(view: View) -> View:
    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            require_own_keys(open_keys(request))
        except DoesNotOpen:
            record_refused(request.user)
            sentence = _(
                "Your password does not open any keys that were made for you here. Nothing was "
                "changed. You need your own keys to open the staff pages: ask an operator to look "
                "at your account."
            )
            return refusal(request, 403, "staff_unproven", sentence)
        return view(request, *args, **kwargs)

    return guarded
