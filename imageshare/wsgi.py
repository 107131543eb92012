"""The WSGI entry point. Not ASGI: under it Django holds whole downloads in memory."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http.request import MediaType
from django.utils.functional import cached_property

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")


class Request(WSGIRequest):
    """A request of which no header names an encoding that ends in a traceback, before anything
    could answer.

    Its address is UTF-8, whatever `charset` its Content-Type names: Django reads the query in that
    while it makes the request. Forms in others: imageshare/bodies.py. A header with a parameter in
    an encoding that is none (`x*=hex''a`, RFC 2231) counts as left out.
    """

    # In place of the property that sets it.
    encoding = None  # type: ignore[override]  # None is Django's word for UTF-8

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            super().__init__(environ)
        except ValueError:
            environ["CONTENT_TYPE"] = ""
            super().__init__(environ)

    @cached_property
    def accepted_types(self) -> list[MediaType]:
        try:
            return super().accepted_types
        except ValueError:
            return [MediaType("*/*")]


application = get_wsgi_application()
application.request_class = Request
