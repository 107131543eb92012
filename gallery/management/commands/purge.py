from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery.services.purging import missing_renditions, purge
from gallery.storage import StorageAway


class Command(BaseCommand):
    help = (
        "Remove stored bytes that no image refers to (left by a crash in the middle of an upload "
        "or a revocation) once they are older than PURGE_GRACE_SECONDS, and rows whose time is "
        "over. Reminds people of access that ends soon. Reports images whose stored bytes are "
        "missing and exits with status 1 if there are any; only a backup brings those back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count; remove nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        try:
            counts = purge(dry_run=dry_run)
        except StorageAway:
            raise CommandError("The image storage is unavailable. Nothing was removed.") from None
        reminders = counts.pop("reminders")
        removed, sent = ("would remove", "would send") if dry_run else ("removed", "sent")
        counted = ", ".join(f"{n} {name}" for name, n in counts.items())
        self.stdout.write(f"{removed} {counted}; {sent} {reminders} reminders")
        missing = missing_renditions()
        for row in missing:
            self.stderr.write(f"image {row.image_id}: its {row.name} is missing from storage")
        if missing:
            raise SystemExit(1)
