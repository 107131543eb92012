"""Django with the peers' addresses, for any WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from benchmarks.unencrypted_server import add_addresses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageshare.settings")
add_addresses()
application = get_wsgi_application()
