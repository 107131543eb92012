"""`manage.py confirm_staff`; its help text is its specification."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts import staff_rights
from accounts.models import User
from audit.events import AuditUnavailable


class Command(BaseCommand):
    help = (
        "Confirm that each USER is staff, or a superuser, as their row in the database says. You "
        "need this when nothing on record gave these rights: the account is older than the "
        "trail's entries about rights, or somebody wrote to the database. Until then they cannot "
        "use the staff pages. Without a USER: name the accounts that need it, and change nothing. "
        "First be sure that you know each of them. Records one event for each. Exit status 1: no "
        "such user, or one without such rights; nothing was changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("usernames", metavar="USER", nargs="*")

    def handle(self, *, usernames: list[str], **options: Any) -> None:
        try:
            if not usernames:
                self._name_them()
                return
            users = [_marked(username) for username in usernames]
            staff_rights.confirm(users)
        except (Error, AuditUnavailable):
            raise CommandError(
                "The database or the trail is unavailable. Run it again later."
            ) from None
        for user in users:
            self.stdout.write(f"{user.username}: {user.rights_in_row}, confirmed.")

    def _name_them(self) -> None:
        people = staff_rights.people_with_unproven_rights()
        for user in people:
            self.stdout.write(
                f"{user.username}: {user.rights_in_row}, but nothing on record made them so."
            )
        if not people:
            self.stdout.write("All staff rights are on record.")


def _marked(username: str) -> User:
    try:
        user = User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise CommandError(f"No such user: {username}. Nothing was changed.") from None
    if not (user.is_staff or user.is_superuser):
        raise CommandError(f"{username} is not marked as staff. Nothing was changed.")
    return user
