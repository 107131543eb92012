"""What every page knows of a person's notices."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from gallery.models import Notice

MOST_SHOWN = 99  # a person's hundred thousand would be counted for each page


def unread_notices(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"unread_notices": 0}
    unread = Notice.objects.filter(person_id=user.pk, read_at=None)
    return {"unread_notices": SimpleLazyObject(lambda: _counted(unread))}


def _counted(unread: QuerySet[Notice]) -> int | str:
    count = unread[: MOST_SHOWN + 1].count()
    return count if count <= MOST_SHOWN else f"{MOST_SHOWN}+"
