"""What each refusal of the gallery becomes: one class, one answer, one entry in the trail."""

import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.web.answers import refusal
from accounts.web.requests import PersonRequest
from gallery.circle_refusals import (
    album_refusal_for,
    successors_refusal_for,
    team_refusal_for,
)
from gallery.refusals import REFUSALS, Refusal, refusal_for

View = Callable[..., HttpResponseBase]


def answers_refusals(view: View) -> View:
    """Turn what gallery services refuse into answers: see gallery/refusals.py.

    For views behind `signed_in`.
    """
    return _answering(view, "image_id", refusal_for)


def answers_album_refusals(view: View) -> View:
    """The same for an album: see gallery/circle_refusals.py."""
    return _answering(view, "album_id", album_refusal_for)


def answers_team_refusals(view: View) -> View:
    """The same for a team."""
    return _answering(view, "team_id", team_refusal_for)


def answers_successors_refusals(view: View) -> View:
    """The same for successors, of whom each owner has one list."""
    return _answering(view, "owner_id", successors_refusal_for)


def _answering(view: View, about: str, refusal_of: Callable[[Exception], Refusal]) -> View:
    @wraps(view)
    def guarded(request: PersonRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except tuple(REFUSALS) as error:
            refused = refusal_of(error)
            refused.record(request.user.pk, kwargs.get(about))
            return answer(request, refused, {about: kwargs.get(about)})

    return guarded


def answer(
    request: HttpRequest, refused: Refusal, about: Mapping[str, uuid.UUID | None]
) -> HttpResponse:
    response = refusal(
        request,
        refused.status,
        refused.code,
        refused.sentence,
        template=refused.template,
        context={**refused.context, **about},
    )
    if refused.retry_after_seconds:
        response.headers["Retry-After"] = str(refused.retry_after_seconds)
    return response
