"""`manage.py rotate_server_keys`; its help text is its specification."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils import timezone

from accounts.management.times import parse_time
from accounts.services.rotating import server_keys
from accounts.services.rotating.server_keys import Carrier, Done, people_with_keys
from audit.events import AuditUnavailable, Event, Outcome, record

EVERY = 100  # people between two lines of progress


class Command(BaseCommand):
    help = (
        "Put a new newest key into each ring of the key file (instance, audit, notice, factor); "
        "the old ones stay, to verify what they signed and open what they wrapped. Then wrap "
        "everybody's MAC keys under the newest one, person by person. Running servers see the "
        "new file at once. If it is interrupted, run it again and it goes on where it was. With "
        "--compromised the old instance keys no longer certify anybody: everybody gets a new "
        "MAC key, and a signing key is certified again only if the audit trail knows it from "
        "before the theft and something its owner signed verifies under it, or if such a key "
        "endorsed it; the others are named on standard error: those people cannot sign, and "
        "nobody can share with them, until they have new keys (rotate_keys USER). Each key that "
        "stays as it was is one line. Exit status 0: done; 1: something was named, or failed. "
        "Records one event, and one for each person. Back up the key file afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="The key file may be known to somebody else.",
        )
        parser.add_argument(
            "--since",
            type=parse_time,
            metavar="TIME",
            help="With --compromised: when it may have become known (ISO 8601; without: now).",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done; change nothing."
        )

    def handle(
        self, *, compromised: bool, since: datetime | None, dry_run: bool, **options: Any
    ) -> None:
        if since and not compromised:
            raise CommandError("--since goes with --compromised. Nothing was changed.")
        stolen_since = (since or timezone.now()) if compromised else None
        try:
            if dry_run:
                return self._rehearse(stolen_since)
            self._rotate(stolen_since)
        except server_keys.AnotherBegun:
            raise CommandError(
                "A rotation of the other kind was begun and is not finished. Nothing was changed. "
                "Finish that one first: run it with --compromised if it was begun with it, "
                "otherwise without."
            ) from None
        except (Error, OSError, AuditUnavailable) as error:
            name = type(error).__name__
            raise CommandError(f"Not finished ({name}). Run it again to go on.") from None

    def _rotate(self, stolen_since: datetime | None) -> None:
        kind = "compromised" if stolen_since else "routine"
        record(Event.SERVER_KEYS_ROTATED, actor=None, outcome=Outcome.INTENDED, kind=kind)
        if server_keys.begin(stolen_since=stolen_since):
            self.stdout.write("Going on with the unfinished rotation.")
        begun = settings.SERVER_KEYS.rotation
        carrier, done = Carrier(begun.stolen_since, begun.begun_at), Done()
        for number, person in enumerate(people_with_keys(), start=1):
            done += carrier.carry_out(person)
            if number % EVERY == 0:
                self.stdout.write(f"{number} people")
        settings.SERVER_KEYS.finish_rotation()
        record(
            Event.SERVER_KEYS_ROTATED,
            actor=None,
            kind=kind,
            people=done.people,
            rewrapped=done.rewrapped,
            made=done.made,
            certified=done.certified,
            refused=len(done.refused),
        )
        self._conclude("Server keys rotated", done)

    def _rehearse(self, stolen_since: datetime | None) -> None:
        begun = settings.SERVER_KEYS.rotation
        carrier, total = Carrier(stolen_since, begun.begun_at if begun else None), Done()
        for person in people_with_keys():
            total += carrier.rehearse(person)
        self._conclude("Would rotate server keys", total)

    def _conclude(self, what: str, done: Done) -> None:
        for refused in done.refused:
            self.stderr.write(str(refused))
        result = (
            f"{what}: {done.people} people, {done.rewrapped} MAC keys wrapped again, "
            f"{done.made} made, {done.certified} signing keys certified again, "
            f"{len(done.refused)} left as they were."
        )
        if done.refused:
            raise CommandError(result)
        self.stdout.write(result)
