"""`manage.py recover_account`; its help text is its specification."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts.keys.names import find_person
from accounts.organisation import offline
from accounts.organisation.exchange import Answer
from accounts.services.organisation import recovery as organisation_recovery
from accounts.services.organisation.trail import LASTS
from audit.events import AuditUnavailable
from cryptocore.errors import CryptoError


class Command(BaseCommand):
    help = (
        "Recover somebody who lost both password and recovery code, with the organisation's "
        "offline key. `request USER FILE` writes the request that this key is to open (mode 0600; "
        "it opens nothing by itself). `import ANSWER` imports what `recovery_key open` wrote: "
        "once, within 7 days of the request, for that person only, and not if they changed their "
        "password, used their recovery code or brought their keys back since. Within 7 days of "
        "that the person goes to /accounts/recover/ with username, one-time code and a new "
        "password. First be sure who is asking: anybody who has the code becomes that person "
        "here. Each records one event; the person sees both and is mailed. Exit status 1: "
        "refused, nothing was changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="request | import")
        asking = acts.add_parser("request", help="write a request")
        asking.add_argument("username", metavar="USER")
        asking.add_argument("file", type=Path, metavar="FILE")
        taking = acts.add_parser("import", help="take an answer")
        taking.add_argument("file", type=Path, metavar="ANSWER")

    def handle(self, *, act: str, file: Path, username: str = "", **options: Any) -> None:
        try:
            told = self._request(username, file) if act == "request" else self._import(file)
        except (offline.Refused, organisation_recovery.Refused) as refused:
            raise CommandError(str(refused)) from None
        except (Error, AuditUnavailable):
            raise CommandError(
                "The database or the trail is unavailable. Nothing was changed."
            ) from None
        self.stdout.write(told)

    def _request(self, username: str, file: Path) -> str:
        user = find_person(username)
        if user is None:
            raise CommandError(
                f"No such user: {username}. Nothing was written. If there is a row of this name, "
                "it is not the certified one (verify_keys)."
            )
        if file.exists():
            raise offline.Refused(f"{file} exists. Nothing was written.")
        request = organisation_recovery.make_request(user=user)
        offline.write_new(file, request.encode().decode())
        return (
            f"{file}: take it to the machine with the private half of key "
            f"{request.organisation_key[:16]}…: recovery_key open {file.name} --key … --answer …"
        )

    def _import(self, file: Path) -> str:
        try:
            answer = Answer.parse(offline.read(file))
        except CryptoError:
            raise offline.Refused(f"{file} is not an answer. Nothing was changed.") from None
        user = organisation_recovery.take_answer(answer=answer)
        days = LASTS.days
        return (
            f"{user.username} can go to /accounts/recover/ within {days} days, with the one-time "
            "code and a new password."
        )
