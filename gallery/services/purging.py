"""Removing what was left behind: stored bytes without a row, written but never committed."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.core.files.storage import Storage
from django.utils import timezone

from accounts.models import Custody, ThrottleWindow
from audit.events import Event, record
from gallery import storage
from gallery.models import Rendition


def purge(*, dry_run: bool = False) -> dict[str, int]:
    """Remove orphans older than the grace period, and rows whose time is over; return counts.

    The grace period keeps it from taking the bytes of an upload that is still being committed.
    """
    before = timezone.now() - settings.PURGE_GRACE
    orphans = list(_orphans(storage.sealed_storage(), before))
    over = Custody.objects.filter(idle_ends_at__lte=timezone.now())
    windows = ThrottleWindow.objects.filter(ends_at__lte=timezone.now())
    counts = {"orphans": len(orphans), "custody": over.count(), "windows": windows.count()}
    if not dry_run:
        storage.discard(orphans)
        over.delete()
        windows.delete()
        record(Event.STORAGE_PURGED, actor=None, **counts)
    return counts


def _orphans(sealed: Storage, before: datetime) -> Iterator[str]:
    folders, _ = sealed.listdir("")
    for folder in folders:
        _, files = sealed.listdir(folder)
        names = [f"{folder}/{name}" for name in files]
        known = set(
            Rendition.objects.filter(storage_name__in=names).values_list("storage_name", flat=True)
        )
        for name in names:
            if name not in known and sealed.get_modified_time(name) <= before:
                yield name


def missing_renditions() -> list[Rendition]:
    """Return the rows whose stored bytes are gone: what no purge can mend."""
    sealed = storage.sealed_storage()
    return [row for row in Rendition.objects.iterator() if not sealed.exists(row.storage_name)]
