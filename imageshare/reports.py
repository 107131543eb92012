"""What a report of a failed request may not say, should an operator have Django send some."""

from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class QuietReports(SafeExceptionReporterFilter):
    """Shows no cookie, since one of them opens keys, and nothing that was typed."""

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(super().get_safe_cookies(request), self.cleansed_substitute)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(super().get_post_parameters(request), self.cleansed_substitute)
