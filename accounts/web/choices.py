"""How somebody wants to see pages: kept in their browser, so that visitors have it, too."""

from django.conf import settings
from django.http.response import HttpResponseBase

ONE_YEAR_SECONDS = 365 * 24 * 3600


def remember_choice(answer: HttpResponseBase, name: str, value: str) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=ONE_YEAR_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
