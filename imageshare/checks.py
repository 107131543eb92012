"""Checks of what is set for the installation as a whole."""

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_site_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """imageshare.E001: links in mails, cookies and the check of where a form comes from all follow
    SITE_URL; none of our addresses would serve a folder in it."""
    site = urlsplit(settings.SITE_URL)
    beside = (site.path.rstrip("/"), site.query, site.fragment, site.username, site.password)
    if site.scheme in ("http", "https") and site.hostname and not any(beside):
        return []
    return [
        Error(
            f"SITE_URL is not the address of a site: {settings.SITE_URL}",
            hint=(
                "Write scheme, host and, if needed, port: https://images.example.org. It must be "
                "a site of its own, not a folder of another."
            ),
            id="imageshare.E001",
        )
    ]


@register(Tags.security)
def check_debug_stays_here(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """imageshare.E002: with DEBUG an error's page shows code, paths and settings."""
    bind = (os.environ.get("BIND") or "127.0.0.1").strip("[]")
    here = settings.SITE_HOST in settings.LOOPBACK and bind in ("127.0.0.1", "localhost", "::1")
    if here or not settings.DEBUG:
        return []
    hint = "Unset DEBUG. `make dev` sets it by itself, for this machine only."
    return [Error("DEBUG is on for a site that others can reach.", hint=hint, id="imageshare.E002")]
