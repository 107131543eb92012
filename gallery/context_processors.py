"""What every page knows of a person's notices."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from gallery.models import Notice


def unread_notices(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"unread_notices": 0}
    waiting = Notice.objects.filter(person_id=user.pk, read_at=None)
    return {"unread_notices": SimpleLazyObject(waiting.count)}
