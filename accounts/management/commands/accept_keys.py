"""`manage.py accept_keys`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts.models import User
from accounts.services.deserving import accept_rows
from audit.events import AuditUnavailable


class Command(BaseCommand):
    help = (
        "Accept the stored key rows of USER as they are, although the audit trail remembers "
        "others: from now on it remembers these. You need this when verify_keys names them, no "
        "backup restores them, and that person asks for a new start, which is refused (409 "
        "keys_not_remembered) until then. First find out what changed them, and be sure who is "
        "asking: after the wait, somebody who wrote to the database would take this person's "
        "place. Changes no row; records one event. Exit status 1: no such user, or the trail is "
        "unavailable."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(username)
            accept_rows(user)
        except User.DoesNotExist:
            raise CommandError(f"No such user: {username}. Nothing was changed.") from None
        except (Error, AuditUnavailable):
            raise CommandError(
                "The database or the trail is unavailable. Nothing was changed."
            ) from None
        self.stdout.write(f"The key rows of {user.username} are accepted as they are.")
