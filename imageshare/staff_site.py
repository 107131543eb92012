"""The staff pages of the whole installation, which say too whether its parts answer."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.web.staff_site import StaffSite
from audit.panels import Figure, Panel
from imageshare import health

PARTS = {
    "database": _("database"),
    "audit_database": _("database of the trail"),
    "audit_file": _("file of the trail"),
    "storage": _("image storage"),
}


class WholeSite(StaffSite):
    def panels(self, request: HttpRequest) -> Iterator[Panel]:
        yield from super().panels(request)
        answers = [
            Figure(PARTS[part], _("ready") if is_ready else _("away"), is_bad=not is_ready)
            for part, is_ready in health.parts().items()
        ]
        yield Panel(45, _("Health"), answers)
