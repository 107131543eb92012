"""`manage.py first_keys_code`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts.models import User
from accounts.services import first_keys
from audit.events import AuditUnavailable


class Command(BaseCommand):
    help = (
        "Print a one-time code with which USER, who has no keys, gets first keys at "
        "/accounts/first-keys/, after signing in with their password. You need this when the "
        "audit trail does not prove that the account never had keys: it was made before the trail "
        "recorded that, or table and file were cut, changed or moved away. First be sure that it "
        "really had none: from then on anybody who has code and password is that person here. The "
        "code lasts 7 days; a new code ends the earlier one; only its SHA-256 is kept, in the "
        "trail. Records one event. Exit status 1: no such user, or they have keys; nothing was "
        "changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USER")

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(username)
            code = first_keys.make_code(user=user)
        except User.DoesNotExist:
            raise CommandError(f"No such user: {username}. Nothing was changed.") from None
        except first_keys.HasKeys:
            raise CommandError(f"{username} has keys. Nothing was changed.") from None
        except (Error, AuditUnavailable):
            raise CommandError(
                "The database or the trail is unavailable. Nothing was changed."
            ) from None
        days = first_keys.CODE_LASTS.days
        self.stdout.write(f"{user.username}, at /accounts/first-keys/, for {days} days:")
        self.stdout.write(code.shown)
