"""Removing what was left behind: stored bytes without a row, written but never committed."""

from contextlib import suppress

from django.conf import settings
from django.utils import timezone

from accounts.erasure import truncate_write_ahead_log
from accounts.folding import write_ended
from accounts.models import ThrottleWindow
from accounts.services.organisation.answers import destroy_ended_answers, ended_answers
from accounts.unlocks import drop_ended, ended_unlocks
from audit.events import Event, Outcome, record
from gallery import storage
from gallery.ledger import TrailAway
from gallery.models import Rendition
from gallery.services.circles.ended import (
    destroy_ended_album_keys,
    members_keys_that_ended,
    places_that_ended,
)
from gallery.services.ended import destroy_ended_keys, keys_that_ended
from gallery.services.invitations.taking_back import ended_invitations
from gallery.services.keeping import delete_due, due_images
from gallery.services.reminding import due_reminders, remind


def purge(*, dry_run: bool = False) -> dict[str, int]:
    """Remove orphans older than the grace period, and rows whose time is over; return counts.

    The grace period keeps it from taking the bytes of an upload that is still being committed.
    Raises StorageAway.
    """
    before = timezone.now() - settings.PURGE_GRACE
    orphans = list(storage.orphans(before, known_names))
    windows = ThrottleWindow.objects.filter(ends_at__lte=timezone.now())
    counts = {
        "orphans": len(orphans),
        "custody": ended_unlocks().count(),
        "windows": windows.count(),
    }
    counts["answers"] = ended_answers().count()
    counts["keys"] = keys_that_ended().count()
    counts["keys"] += members_keys_that_ended().count() + places_that_ended().count()
    counts["invitations"] = ended_invitations().count()
    counts["dated_images"] = due_images().count()
    counts["reminders"] = due_reminders().count()
    if not dry_run:
        storage.remove(orphans)
        drop_ended()
        destroy_ended_keys()
        destroy_ended_album_keys()
        windows.delete()
        destroy_ended_answers()
        with suppress(TrailAway):  # the next time
            counts["dated_images"] = delete_due(due_images())
            remind(due_reminders())
        truncate_write_ahead_log()
        write_ended()
        record(
            Event.STORAGE_PURGED,
            actor=None,
            subject=None,
            outcome=Outcome.DONE,
            in_table=False,
            **counts,
        )
    return counts


def known_names(names: list[str]) -> set[str]:
    rows = Rendition.objects.filter(storage_name__in=names)
    return set(rows.values_list("storage_name", flat=True))


def missing_renditions() -> list[Rendition]:
    """Return the rows whose stored bytes are gone: what no purge can mend."""
    return [row for row in Rendition.objects.iterator() if not storage.exists(row.storage_name)]
