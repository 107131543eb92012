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
        "missing; that states, sizes, costs and versions are possible; that MAC keys open "
        "under the key file; and that all key rows of a person are as they were after the last "
        "act that the audit trail remembers, so that a changed or restored row is found even if "
        "only its owner's password would show it; that every wrapped key is as long as its pair's "
        "modulus, and neither zero nor beyond it (only its owner can find out whether it opens); "
        "and that each person's list of compared contacts is there and the newest one the trail "
        "remembers; that everybody's names are those in the newest certificate of their signing "
        "key; and that something on record made every account staff that is marked so "
        "(confirm_staff). With --certify-names the names of people who had keys before names were "
        "certified are certified first, as in their rows. That happens once in an installation's "
        "life; the start does it, too. An act that was begun and never finished (a crash between "
        "changing the key rows and recording it) is named as such; a list of contacts may then be "
        "the older or the newer one. Each finding is one line on standard error (of one kind at "
        "most 20). The last line says how it went. Exit status 0: all is well; 1: something is "
        "wrong, or could not be read. Records one event. Changes nothing else; opens no private "
        "key; may run beside the server; an act under way then counts as unfinished: run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--certify-names",
            action="store_true",
            help="Certify names first, if that was not done yet.",
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["certify_names"]:
                certify_names(self.stdout.write, self.stderr.write)
            verifier = Verifier()
            found = findings.tell(verifier.run(), self.stderr.write)
            record(
                Event.KEYS_VERIFIED,
                actor=None,
                outcome=Outcome.FAILED if found else Outcome.DONE,
                people=verifier.people,
                rows=verifier.rows,
                findings=found,
            )
        except (Error, OSError, AuditUnavailable) as error:
            name = type(error).__name__
            raise CommandError(f"Keys or trail could not be read or written ({name}).") from None
        verdict = f"{found} findings" if found else "all as made"
        result = f"Keys: {verifier.people} people, {verifier.rows} rows, {verdict}."
        if found:
            raise CommandError(result)
        self.stdout.write(result)
