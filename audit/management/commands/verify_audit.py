"""`manage.py verify_audit`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from audit.events import AuditUnavailable, Event, Outcome, record
from audit.management import findings
from audit.models import AuditEntry
from audit.reconciliation import Reconciled, reconcile
from audit.verification import verify


class Command(BaseCommand):
    help = (
        "Check the audit trail: that every entry is as it was recorded, in its place and chained "
        "to the one before; that the search columns, the personal facts not erased and the head "
        "agree with the entries; that the audit file (rotated files beside it, .gz too) holds the "
        "same. Each finding is one line on standard error (of one kind at most 20). The last line "
        "says how it went. Exit status 0: all is well; 1: something is wrong, or could not be "
        "read. Records one event. Changes nothing unless --reconcile is given; may run beside the "
        "server."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reconcile",
            action="store_true",
            help=(
                "First append to the table the lines written while it was unavailable, and to the "
                "file the entries it lacks. Appends only what the audit key vouches for, and "
                "overwrites nothing; running it twice is the same as once. Records an event of "
                "its own if there was something to append."
            ),
        )
        parser.add_argument(
            "--from",
            dest="start",
            type=_number,
            default=1,
            metavar="SEQUENCE",
            help=(
                "Trust everything before this number, in table and file: use it if older files "
                "were moved off this machine."
            ),
        )

    def handle(self, *, start: int, **options: Any) -> None:
        try:
            added = reconcile(start=start) if options["reconcile"] else Reconciled(0, 0)
            if added.imported or added.restored:
                event, imported = Event.AUDIT_IMPORTED, added.imported
                record(event, actor=None, imported=imported, restored=added.restored)
            found = findings.tell(verify(start=start), self.stderr.write)
            entries = AuditEntry.objects.filter(sequence__gte=start).count()
            event, outcome = Event.AUDIT_VERIFIED, Outcome.FAILED if found else Outcome.DONE
            record(event, actor=None, outcome=outcome, entries=entries, findings=found)
        except (Error, OSError, AuditUnavailable) as error:
            name = type(error).__name__
            raise CommandError(f"The audit trail could not be read or written ({name}).") from None
        verdict = f"{found} findings" if found else "all as recorded"
        result = f"Audit trail: {entries} entries, {verdict}."
        if added.imported or added.restored:
            result += f" Imported {added.imported} lines, restored {added.restored}."
        if found:
            raise CommandError(result)
        self.stdout.write(result)


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
