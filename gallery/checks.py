"""Checks that stop a deployment whose uploads would touch the disk unencrypted."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_uploads_stay_in_memory(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """gallery.E001: Django's temporary files would hold pictures in the clear."""
    if settings.FILE_UPLOAD_HANDLERS == ["gallery.uploads.MemoryUploadHandler"]:
        return []
    return [
        Error(
            "FILE_UPLOAD_HANDLERS must be gallery.uploads.MemoryUploadHandler alone.",
            hint="Any other handler writes uploads to disk unencrypted.",
            id="gallery.E001",
        )
    ]
