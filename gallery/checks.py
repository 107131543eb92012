"""Checks that stop a deployment whose uploads would touch the disk unencrypted, or whose limits
make no sense."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from gallery.decoding.confining import filters_calls
from gallery.services.directory import WAYS


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


@register(Tags.security, deploy=True)
def check_decoders_are_confined(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """gallery.W001: without a filter of system calls a decoder that was taken over can do more."""
    if filters_calls():
        return []
    return [
        checks.Warning(
            "This system cannot filter the system calls of the processes that decode pictures.",
            hint="docs/threat-model.md, “Where pictures are decoded”, says what that leaves open.",
            id="gallery.W001",
        )
    ]


@register
def check_days_of_access(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """gallery.E002: a default that its own maximum refuses would refuse every share."""
    default, most = settings.DEFAULT_ACCESS_DAYS, settings.MAX_ACCESS_DAYS
    if min(default, most) >= 0 and (not most or default <= most):
        return []
    return [
        Error(
            f"DEFAULT_ACCESS_DAYS ({default}) and MAX_ACCESS_DAYS ({most}) do not fit together.",
            hint="Set both to whole days, the default to no more than the maximum; 0: none.",
            id="gallery.E002",
        )
    ]


@register
def check_people_search(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """gallery.E003: a word we do not know would find nobody, and nobody would know why."""
    if settings.PEOPLE_SEARCH in WAYS:
        return []
    return [
        Error(
            f"PEOPLE_SEARCH is {settings.PEOPLE_SEARCH!r}.",
            hint=f"Set it to one of: {', '.join(WAYS)}.",
            id="gallery.E003",
        )
    ]
