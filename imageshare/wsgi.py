"""The WSGI entry point. Not ASGI: under it Django holds whole downloads in memory."""

import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")


class Request(WSGIRequest):
    """A request whose address is UTF-8, whatever `charset` its Content-Type names.

    Django reads the query in that encoding while it makes the request, before anything could
    answer; `charset=hex` would end there, in a traceback. Forms in others: imageshare/bodies.py.
    """

    # In place of the property that sets it.
    encoding = None  # type: ignore[override]  # None is Django's word for UTF-8


application = get_wsgi_application()
application.request_class = Request
