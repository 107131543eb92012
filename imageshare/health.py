"""Whether each part the product stands on answers."""

import os
from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import storages
from django.db import Error, connections

from gallery.storage import AtomicFileStorage


def parts() -> dict[str, bool]:
    """Return the parts by name, True where one is ready."""
    return {
        "database": _answers(lambda: _ask("default")),
        "audit_database": _answers(lambda: _ask("audit")),
        "audit_file": os.access(settings.AUDIT_FILE.parent, os.W_OK)
        and not settings.AUDIT_FILE.is_dir(),
        "storage": _answers(_storage_takes_files),
    }


def _storage_takes_files() -> None:
    storage = storages["sealed"]
    assert isinstance(storage, AtomicFileStorage)
    storage.check_writable()


def _answers(question: Callable[[], object]) -> bool:
    try:
        question()
    except (Error, OSError):
        return False
    return True


def _ask(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")
