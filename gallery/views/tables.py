"""Pages of lists of acts."""

from django.http import HttpRequest


def number_asked_for(request: HttpRequest) -> int | None:
    """Return the number before which a page of acts begins; None for the newest."""
    number = request.GET.get("before", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
