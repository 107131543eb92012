"""`manage.py demo`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from imageshare.demo.filling import NotEmpty, fill


class Command(BaseCommand):
    help = (
        "Fill an empty installation with three people who have recovery codes, twelve images it "
        "paints itself, two albums, a team, what they share, open and confirm, one access that "
        "ended, an invitation that nobody has used yet, and a staff account; print their "
        "passwords. Refuses if anybody is registered. `make demo` does this in a throw-away folder "
        "and serves it."
    )

    def handle(self, **options: Any) -> None:
        try:
            accounts = fill(self.stdout.write)
        except NotEmpty:
            raise CommandError(
                "There are people here already. Nothing was changed. Try `make demo`, which uses "
                "a folder of its own."
            ) from None
        self.stdout.write(f"{'user name':<12}{'password':<20}recovery code")
        for account in accounts:
            code = account.recovery_code or "made at first sign-in (staff: see /admin/)"
            self.stdout.write(f"{account.username:<12}{account.password:<20}{code}")
