"""The staff pages: open to people whose rights are believed, and refused, with a reason, to others.

The trail proves rights. Only keys that were made here, and that the password opens, prove that it
is that person who asks: anybody could write a password hash into a row.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
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
from accounts.web.decorators import unlocked
from accounts.web.unlocking import keyring_of

View = Callable[..., HttpResponse]


class StaffSite(AdminSite):
    """Every page below /admin/ asks here. Without a trail to ask all of them answer 503."""

    site_header = site_title = index_title = gettext_lazy("Staff")
    enable_nav_sidebar = False  # base_site.html names the same few places in a row

    def has_permission(self, request: HttpRequest) -> bool:
        return staff_rights(request) >= Rights.STAFF

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if self.has_permission(request):
                return unlocked(_with_own_keys(guarded))(request, *args, **kwargs)
            if not _claims_rights(request):
                return guarded(request, *args, **kwargs)
            record_refused(request.user)
            return refusal(request, 403, "staff_unproven", _sentence(request))

        return inner

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show at once to all staff whose rights nobody gave, and which version this is."""
        context = {"unproven": people_with_unproven_rights(), "version": settings.VERSION}
        return super().index(request, {**(extra_context or {}), **context})


def staff_rights(request: HttpRequest) -> Rights:
    """Return the rights of this request's person, asked for once. Raises AuditUnavailable."""
    if not hasattr(request, "_staff_rights"):
        user = request.user
        request._staff_rights = rights_of(user) if user.is_authenticated else Rights.NONE
    return request._staff_rights


def _with_own_keys(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            require_own_keys(keyring_of(request))
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


def _claims_rights(request: HttpRequest) -> bool:
    return request.user.is_authenticated and claimed_by(request.user) > Rights.NONE


def _sentence(request: HttpRequest) -> str:
    sentence = _(
        "Your account is marked as staff, but nothing on record made it so. Nothing was changed. "
        "If it is right, an operator can confirm it with: manage.py confirm_staff %(name)s"
    )
    return sentence % {"name": request.user.username}
