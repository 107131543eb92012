"""What each refusal of the gallery becomes: one class, one answer, one entry in the trail."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.web.answers import refusal
from accounts.web.requests import PersonRequest
from gallery.refusals import REFUSALS, Refusal, refusal_for

View = Callable[..., HttpResponseBase]


def answers_refusals(view: View) -> View:
    """Turn what gallery services refuse into answers: see gallery/refusals.py.

    For views behind `signed_in`.
    """

    @wraps(view)
    def guarded(
        request: PersonRequest, image_id: uuid.UUID | None = None, **kwargs: Any
    ) -> HttpResponseBase:
        arguments = {"image_id": image_id, **kwargs} if image_id else kwargs
        try:
            return view(request, **arguments)
        except tuple(REFUSALS) as error:
            refused = refusal_for(error)
            refused.record(request.user.pk, image_id)
            return answer(request, refused, image_id)

    return guarded


def answer(request: HttpRequest, refused: Refusal, image_id: uuid.UUID | None) -> HttpResponse:
    response = refusal(
        request,
        refused.status,
        refused.code,
        refused.sentence,
        template=refused.template,
        context={**refused.context, "image_id": image_id},
    )
    if refused.retry_after_seconds:
        response.headers["Retry-After"] = str(refused.retry_after_seconds)
    return response
