"""`manage.py demo`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from imageshare.demo.filling import NotEmpty, fill
from imageshare.demo.story import ALL_IMAGES


class Command(BaseCommand):
    help = (
        "Fill an empty installation with seven people who have recovery codes, three hundred "
        "images it paints itself, albums, a team, what they share, open and confirm, access that "
        "ended or ends soon, an invitation that nobody has used yet, and a staff account; print "
        "their passwords. Its three weeks are made with the clock of this process set back. "
        "Refuses if anybody is registered. `make demo` does this in a throw-away folder and "
        "serves it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--images", type=int, default=ALL_IMAGES, help="about how many; at least two dozen"
        )

    def handle(self, *, images: int, **options: Any) -> None:
        try:
            accounts = fill(self.stdout.write, images=images)
        except NotEmpty:
            raise CommandError(
                "There are people here already. Nothing was changed. Try `make demo`, which uses "
                "a folder of its own."
            ) from None
        self.stdout.write(f"{'user name':<12}{'password':<20}recovery code")
        for account in accounts:
            code = account.recovery_code or "made at first sign-in (staff: see /admin/)"
            self.stdout.write(f"{account.username:<12}{account.password:<20}{code}")
