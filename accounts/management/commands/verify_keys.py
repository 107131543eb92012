"""`manage.py verify_keys`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts.keys.verification import Verifier
from accounts.management.certifying import certify_names
from audit.events import AuditUnavailable, Event, Outcome, record
from audit.management import findings


class Command(BaseCommand):
    help = (
        "Check everybody's stored keys: certificates, endorsements and fingerprints of every key "
        "pair; that the newest pair of each purpose, and only it, is in use, and no epoch is "
        "missing; that states, sizes, costs and versions are possible; that notice keys open "
        "under the key file; and that all key rows of a person are those of the last act on them "
        "that the audit trail remembers, so that an altered or restored row is found even where "
        "only its owner's password would show it; that every wrapped key is as long as its pair's "
        "modulus, and neither zero nor beyond it (whether it opens only its owner can tell); and "
        "that each person's list of compared contacts is there and the newest one the trail "
        "remembers; that everybody's names are those in the newest certificate of their signing "
        "key; and that every account marked as staff was made so by an act on record "
        "(confirm_staff). With --certify-names the names of people who had keys before names were "
        "certified are certified first, as their rows say them: once in an installation's life, "
        "which the start does, too. An act that was begun and never finished (a crash between "
        "changing the key rows and recording it) is named as that; a list of contacts may then be "
        "either. Each finding is one line on standard error (of one kind at most 20). The last "
        "line says how it went. Exit status 0: all is well; 1: something is wrong, or could not be "
        "read. Records one event. Changes nothing else; opens no private key; may run beside the "
        "server, where an act under way counts as unfinished: run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--certify-names", action="store_true", help="Certify names first, if it was not done."
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["certify_names"]:
                certify_names(self.stdout.write, self.stderr.write)
            verifier = Verifier()
            found = findings.tell(verifier.run(), self.stderr.write)
            _record(verifier, found)
        except (Error, OSError, AuditUnavailable) as error:
            name = type(error).__name__
            raise CommandError(f"Keys or trail could not be read or written ({name}).") from None
        verdict = f"{found} findings" if found else "all as made"
        result = f"Keys: {verifier.people} people, {verifier.rows} rows, {verdict}."
        if found:
            raise CommandError(result)
        self.stdout.write(result)


def _record(verifier: Verifier, found: int) -> None:
    outcome = Outcome.FAILED if found else Outcome.DONE
    record(
        Event.KEYS_VERIFIED,
        actor=None,
        outcome=outcome,
        people=verifier.people,
        rows=verifier.rows,
        findings=found,
    )
