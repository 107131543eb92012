"""The WSGI entry point. Not ASGI: under it Django holds whole downloads in memory."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")

application = get_wsgi_application()
