"""`manage.py verify_images`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from audit.events import AuditUnavailable, Event, Outcome, record
from audit.management import findings
from gallery.storage import StorageAway
from gallery.verification.sweep import Sweep

EVERY = 1000


class Command(BaseCommand):
    help = (
        "Check everything stored of images, albums and notices. Of each image: that every "
        "statement is its owner's, about this image and in its place, each naming the one before "
        "it; that the newest manifest and list of readers are those the audit trail vouches for "
        "as the newest, and belong together; that its owner signed each row that gives somebody "
        "access, and each signed reader has a row; that wrapped keys are of the current lock and "
        "of those readers, and no older ones are left (verify_keys checks their size); that the "
        "four stored files are there, with the signed length and the signed digest. Of each "
        "album the same of its statements, members and keys; that title and rules are those its "
        "owner signed; and that each image in it is wrapped for the album's key and the image's "
        "lock of now. That every image and album the trail remembers is there, and nothing is "
        "left of deleted ones; that no stored file is without a row. Of each person: that every "
        "notice has its check value, none is missing, and the count is not older than the trail. "
        "Everything found is checked twice, so that an act under way is not a finding. Each "
        "finding is one line on standard error (of one kind at most 20), a line every 1000 "
        "images says how far it is, the last line says how it went. Exit status 0: all is well; "
        "1: something is wrong, or could not be read. Records one event. Changes nothing; opens "
        "nothing; may run beside the server. Reads every stored byte unless --quick is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--quick",
            action="store_true",
            help="Compare only the lengths of stored files: no byte of them is read.",
        )

    def handle(self, *, quick: bool, **options: Any) -> None:
        sweep = Sweep(reads_bytes=not quick, progress=self._tell_progress)
        try:
            found = findings.tell(sweep.run(), self.stderr.write)
            _record(sweep, found)
        except (Error, OSError, AuditUnavailable, StorageAway) as error:
            name = type(error).__name__
            sentence = f"Images, storage or trail could not be read or written ({name})."
            raise CommandError(sentence) from None
        verdict = f"{found} findings" if found else "all as signed and recorded"
        result = (
            f"Images: {sweep.images}, albums: {sweep.albums}, and notices of {sweep.people} "
            f"people, {verdict}."
        )
        if found:
            raise CommandError(result)
        self.stdout.write(result)

    def _tell_progress(self, images: int) -> None:
        if images % EVERY == 0:
            self.stderr.write(f"{images} images …")


def _record(sweep: Sweep, found: int) -> None:
    outcome = Outcome.FAILED if found else Outcome.DONE
    record(
        Event.IMAGES_VERIFIED,
        actor=None,
        outcome=outcome,
        checked=sweep.images,
        albums=sweep.albums,
        people=sweep.people,
        findings=found,
    )
