"""`manage.py verify_keys`; its help text is its specification."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from accounts.verification import Finding, Verifier
from audit.events import AuditUnavailable, Event, Outcome, record

SHOWN_OF_A_KIND = 20


class Command(BaseCommand):
    help = (
        "Check everybody's stored keys: certificates, endorsements and fingerprints of every key "
        "pair; that the newest pair of each purpose, and only it, is in use, and no epoch is "
        "missing; that states, sizes, costs and versions are possible; that notice keys open under "
        "the key file; and that all key rows of a person are those of the last act on them that "
        "the audit trail remembers, so that an altered or restored row is found even where only "
        "its owner's password would show it. An act that was begun and never finished (a crash "
        "between changing the rows and recording it) is named as that. Each finding is one line "
        "on standard error (of one kind at most 20). The last line says how it went. Exit status "
        "0: all is well; 1: something is wrong, or could not be read. Records one event. Changes "
        "nothing; opens no private key; may run beside the server, where an act under way counts "
        "as unfinished: run it again."
    )

    def handle(self, **options: Any) -> None:
        try:
            verifier = Verifier()
            findings = self._show(verifier)
            _record(verifier, findings)
        except (Error, OSError, AuditUnavailable) as error:
            name = type(error).__name__
            raise CommandError(f"Keys or trail could not be read or written ({name}).") from None
        verdict = f"{findings} findings" if findings else "all as made"
        result = f"Keys: {verifier.people} people, {verifier.rows} rows, {verdict}."
        if findings:
            raise CommandError(result)
        self.stdout.write(result)

    def _show(self, verifier: Verifier) -> int:
        shown: Counter[str] = Counter()
        for finding in verifier.run():
            shown[finding.kind] += 1
            self._show_one(finding, shown[finding.kind])
        return shown.total()

    def _show_one(self, finding: Finding, of_its_kind: int) -> None:
        if of_its_kind <= SHOWN_OF_A_KIND:
            self.stderr.write(str(finding))
        elif of_its_kind == SHOWN_OF_A_KIND + 1:
            self.stderr.write(f"{finding.kind}: and more")


def _record(verifier: Verifier, findings: int) -> None:
    outcome = Outcome.FAILED if findings else Outcome.DONE
    facts = {"people": verifier.people, "rows": verifier.rows, "findings": findings}
    record(Event.KEYS_VERIFIED, actor=None, outcome=outcome, **facts)
