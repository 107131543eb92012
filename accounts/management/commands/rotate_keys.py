"""`manage.py rotate_keys`; its help text is its specification."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keys.names import find_person
from accounts.keys.orders import Reason
from accounts.management.times import parse_time
from accounts.models import KeyOrder, KeyPair, MacKey, User
from accounts.services.rotating.ordering import order_after_theft, order_pairs, replace_mac_key
from accounts.services.rotating.standing import standing_of
from accounts.usernames import is_well_formed
from audit.events import AuditUnavailable
from audit.unreadable import NO_ID, as_id
from cryptocore import recovery_code

MAC = "mac"
PURPOSES = [*KeyPair.Purpose.values, MAC]
CHUNK = 100
MOST_DAYS = 36_500
RESUMED_WITHIN = timedelta(hours=1)


class Command(BaseCommand):
    help = (
        "Replace people's keys. A MAC key is replaced at once. Key pairs can only be made while "
        "that person's master key is open, so they are ordered: the person's next unlocking, or "
        "their next page while unlocked, makes the new pair; what was wrapped to the old one is "
        "wrapped again within the following pages; then the old one is destroyed. Nothing becomes "
        "unreadable meanwhile. Asks for people by name or id, or --all; with --compromised a name "
        "counts only if it is the certified one. It may run beside the server, and you may stop "
        "it at any time and start it again: nothing is ordered twice, and with --all a MAC key "
        "younger than an hour is left as it is. Each person is done completely or not at all. The "
        "last line says how it went. Exit status 0: done; 1: it failed for somebody (one line "
        "each on standard error). Records one event for each person and key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("users", nargs="*", metavar="USER", help="user names, or ids")
        parser.add_argument("--all", action="store_true", help="everybody who has keys")
        parser.add_argument(
            "--older-than",
            type=_days,
            metavar="DAYS",
            help="only keys that are older than this many days",
        )
        parser.add_argument(
            "--purpose", choices=PURPOSES, help="only keys for this; without it, all three"
        )
        parser.add_argument(
            "--compromised",
            action="store_true",
            help=(
                "The keys may be known to somebody else. From this moment nothing is wrapped to "
                "them, and what they sign counts only if the trail saw it before. Signs the "
                "person out. At their next sign-in they prove who they are with their recovery "
                "code or the one-time code that is printed here, once, and choose a new password: "
                "password, master key and all pairs are then replaced. If you name somebody "
                "again, there is a new code; --all leaves out people who are waiting already."
            ),
        )
        parser.add_argument(
            "--since",
            type=parse_time,
            metavar="TIME",
            help="With --compromised: when the keys may have become known (ISO 8601). A recovery "
            "code made since then may be a thief's: it is destroyed, and proves nothing.",
        )
        parser.add_argument(
            "--status",
            action="store_true",
            help=(
                "Change nothing: show a line for each person, and whether they are done or "
                "ordered. Without names, everybody."
            ),
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Change nothing: say what would be done."
        )

    def handle(self, *, users: list[str], **options: Any) -> None:
        _refuse_contradictions(users, options)
        # Anybody who gets a one-time code becomes that person.
        people = _people(users, certified=options["compromised"])
        if options["status"]:
            return self._show(people)
        counts: Counter[str] = Counter()
        failed = 0
        for number, user in enumerate(_in_chunks(people), start=1):
            try:
                counts.update(self._do(user, options))
            except (Error, AuditUnavailable) as error:
                failed += 1
                self.stderr.write(f"{user.username}: not done ({type(error).__name__})")
            if number % CHUNK == 0:
                self.stderr.write(f"{number} people …")
        result = _result(counts, options["dry_run"])
        if failed:
            raise CommandError(f"{result} {failed} people failed: run it again.")
        self.stdout.write(result)
        return None

    @sensitive_variables()
    def _do(self, user: User, options: dict[str, Any]) -> Counter[str]:
        """Carry out the order for one person; return what was done, by the word that counts it."""
        if options["compromised"]:
            return self._replace_stolen(user, options)
        purposes = [options["purpose"]] if options["purpose"] else PURPOSES
        due = [purpose for purpose in purposes if _is_due(user, purpose, options)]
        pairs = [purpose for purpose in due if purpose != MAC]
        if options["dry_run"]:
            return Counter({"ordered": len(pairs), "mac": len(due) - len(pairs)})
        if MAC in due:
            replace_mac_key(user)
        return Counter(
            {"ordered": len(order_pairs(user, pairs)) if pairs else 0, "mac": int(MAC in due)}
        )

    @sensitive_variables()
    def _replace_stolen(self, user: User, options: dict[str, Any]) -> Counter[str]:
        waiting = KeyOrder.objects.filter(user=user, done_at=None, reason=Reason.COMPROMISED)
        if options["all"] and waiting.exists():
            return Counter()
        if not options["dry_run"]:
            code = "-".join(recovery_code.groups(order_after_theft(user, since=options["since"])))
            self.stdout.write(f"{user.username}: one-time code {code}")
        return Counter({"stolen": 1})

    def _show(self, people: QuerySet[User]) -> None:
        counts: Counter[str] = Counter()
        for user in _in_chunks(people):
            standing = standing_of(user)
            counts[standing.word] += 1
            keys = ", ".join(f"{name} {epoch} of {day}" for name, epoch, day in standing.keys)
            told = "; ".join([keys, *standing.remarks])
            self.stdout.write(f"{user.username}: {standing.word}; {told}")
        said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        self.stdout.write(f"{counts.total()} people: {said or 'nobody has keys'}.")


def _days(text: str) -> timedelta:
    days = int(text)
    if not 0 <= days <= MOST_DAYS:
        raise ValueError
    return timedelta(days=days)


def _refuse_contradictions(users: list[str], options: dict[str, Any]) -> None:
    if users and options["all"]:
        raise CommandError("Name people or say --all, not both. Nothing was done.")
    if not (users or options["all"] or options["status"]):
        raise CommandError("Name people, or say --all. Nothing was done.")
    if options["since"] and not options["compromised"]:
        raise CommandError("--since goes with --compromised. Nothing was done.")
    if options["compromised"] and (options["purpose"] or options["older_than"] is not None):
        raise CommandError("--compromised replaces all keys, of any age. Nothing was done.")


def _people(names: list[str], *, certified: bool) -> QuerySet[User]:
    """Return who is meant: of names that are known, all. Raises CommandError for any other.

    `certified`: a name counts only if it is the certified one; others are named by their id.
    """
    people = User.objects.filter(master_key_version__gt=0)
    if not names:
        return people
    found = {name: _person(name, people, certified) for name in names}
    unknown = sorted(name for name, person in found.items() if person is None)
    if unknown:
        raise CommandError(
            f"Nobody with keys has this name: {', '.join(unknown)}. Nothing was done. If there is "
            "such a row, its name is not certified: look into it (verify_keys), then give the id."
        )
    return people.filter(pk__in=[person.pk for person in found.values() if person])


def _person(name: str, people: QuerySet[User], certified: bool) -> User | None:
    if not is_well_formed(name):  # an id never is
        person_id = as_id(name)
        return people.filter(pk=person_id).first() if person_id else None
    return find_person(name) if certified else people.filter(username=name).first()


def _in_chunks(people: QuerySet[User]) -> Iterator[User]:
    """Yield people some at a time: thousands take no memory, and no cursor stays open, which on
    SQLite would keep an old state of the database alive that nothing can be written upon."""
    last = NO_ID  # rows with unreadable ids included: they must not begin it all once more
    while True:
        rows = people.filter(pk__gt=last).order_by("pk")[:CHUNK]
        chunk = [user for user in rows if user.pk > last]
        if not chunk:
            return
        yield from chunk
        last = chunk[-1].pk


def _is_due(user: User, purpose: str, options: dict[str, Any]) -> bool:
    age = options["older_than"] or timedelta()
    if purpose == MAC:
        age = max(age, RESUMED_WITHIN) if options["all"] else age
        newer = MacKey.objects.filter(user=user, created_at__gt=timezone.now() - age)
        return not newer.exists()
    ordered = KeyOrder.objects.filter(user=OuterRef("user"), purpose=purpose, done_at=None)
    ordered = ordered.exclude(reason=Reason.REWRAP)
    primary = KeyPair.objects.filter(user=user, purpose=purpose, state=KeyPair.State.PRIMARY)
    return primary.filter(~Exists(ordered), created_at__lte=timezone.now() - age).exists()


def _result(counts: Counter[str], dry_run: bool) -> str:
    verb = "Would be" if dry_run else "Were"
    return (
        f"{verb} ordered: {counts['ordered']} key pairs. "
        f"{verb} replaced: {counts['mac']} MAC keys. "
        f"{verb} marked compromised: the keys of {counts['stolen']} people."
    )
