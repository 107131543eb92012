"""`manage.py prove_zero_access`; its help text is its specification."""

import base64
import binascii
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from accounts.models import User
from audit.events import AuditUnavailable, Event, Outcome, record
from audit.leaf import Fact
from gallery.storage import StorageAway
from gallery.zero_access.locked import allowed_to, expected_of, locked
from gallery.zero_access.openers import Kind
from gallery.zero_access.places import collect
from gallery.zero_access.search import Search

PEOPLE = 10
SHOWN = 20
EVERY = 500


class Command(BaseCommand):
    help = (
        "Look for a way into images with nothing but what is at rest: every column of every table "
        "of both databases, the files of the data folder (SQLite's files raw, with their logs, "
        "wherever they are), the first bytes of the stored images, the whole of any file among "
        "them that no row names or that is shorter than 1 KiB, the environment, the settings and "
        "the key file; each string raw and decoded from hex, base64 and zlib, and from SQLite's "
        "raw bytes the columns as long as a key (raw or in hex) of whole rows that are no longer "
        "in a table. Every string of 32 bytes is tried as every kind of key, and so is whatever "
        "that opens, until nothing new opens. Because Argon2 is slow on purpose, these alone are "
        "tried as passwords: the values of the environment and the settings, the words of the key "
        "file, secrets.env and .env, and names and addresses that people typed. As recovery codes "
        "everything is tried that looks like one. Not tried: other texts as passwords; 32 bytes "
        "at each offset of binary files (nor of SQLite's, where SQLite has overwritten how a "
        "deleted row began); strings that the audit key proves to be digests; and strings of "
        "signed statements, grants, notices and the trail on private keys (on all other keys they "
        "are tried). The key file may open the keys that check notices, and nothing else. Each "
        "way in is one line on standard error (at most 20), without the string itself. Records "
        "one event, with counts; /about/protection/ shows people the newest. Changes nothing; may "
        "run beside the server. On a copy: DATA_DIR=/copy KEY_FILE=/copy/server-keys.json. Exit "
        "status 0: no way in, or, with --with-…, exactly what that person may open; 1: anything "
        "else. Takes some minutes; see --people."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--people",
            type=int,
            default=PEOPLE,
            metavar="N",
            help="Try the keys of this many people, chosen at random at each run, and of at "
            f"most 20 N of the images they may open; 0: everybody's. Default {PEOPLE}.",
        )
        given = parser.add_mutually_exclusive_group()
        given.add_argument(
            "--with-password",
            metavar="USER",
            help=(
                "Ask for USER's password (never given on the command line), to see that the "
                "search finds what it should: exactly that person's images, and no others. Not "
                "shown on the page."
            ),
        )
        given.add_argument(
            "--with-cookie",
            metavar="USER",
            help="The same with the unlock cookie of a browser in which USER is unlocked.",
        )

    def handle(
        self,
        *,
        people: int,
        with_password: str | None,
        with_cookie: str | None,
        **options: Any,
    ) -> None:
        name = with_password or with_cookie
        user = _user(name) if name else None
        secret = getpass("Password: " if with_password else "Unlock cookie: ") if user else ""
        try:
            everything, strings = locked(people=people, certainly=user), collect()
            self.stderr.write(f"{len(strings.keys)} strings may be keys; trying them …")
            search = Search(everything, strings, tell=self._tell)
            if user and with_password:
                search.give_password(user, secret)
            if user and with_cookie:
                search.give_key(_cookie_secret(secret))
            search.run()
            self._finish(search, user)
        except (Error, OSError, StorageAway, AuditUnavailable) as error:
            kind = type(error).__name__
            raise CommandError(f"Not everything could be read or recorded ({kind}).") from None

    def _tell(self, tried: int, of: int) -> None:
        if tried % EVERY == 0:
            self.stderr.write(f"{tried} of {of}")

    def _finish(self, search: Search, user: User | None) -> None:
        as_it_should = not search.ways
        if user:  # that person's keys and images open, all of them, and nobody else's
            opened = search.opened(Kind.PLAINTEXT)
            only_theirs = search.opened(Kind.MASTER) == {user.pk} and opened <= allowed_to(user)
            all_of_them = expected_of(user) <= opened == search.opened(Kind.CONTENT)
            as_it_should = only_theirs and all_of_them
        _record(search, user, Outcome.DONE if as_it_should else Outcome.FAILED)
        if user is None:
            for way in search.ways[:SHOWN]:
                self.stderr.write(str(way))
        result = _told(search, user)
        if not as_it_should:
            raise CommandError(result)
        self.stdout.write(result)


def _user(username: str) -> User:
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise CommandError(f"No such user: {username}. Nothing was tried.") from None


def _cookie_secret(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise CommandError("This is not an unlock cookie. Nothing was tried.") from None


def _record(search: Search, user: User | None, outcome: Outcome) -> None:
    tried_everybody = len(search.locked.people) >= User.objects.count()
    counts: dict[str, Fact] = {
        "strings": search.strings.count,
        "people_tried": len(search.locked.people),
        "everybody": "yes" if tried_everybody else "no",
        "images_tried": len(search.locked.images),
        "mac_keys": len(search.opened(Kind.MAC)),
    }
    if user:
        counts["opened"] = len(search.opened(Kind.PLAINTEXT))
    else:
        counts["ways"] = len(search.ways)
    subject = user.pk if user else None
    record(
        Event.ZERO_ACCESS_PROVEN,
        actor=None,
        subject=subject,
        outcome=outcome,
        in_table=False,
        **counts,
    )


def _told(search: Search, user: User | None) -> str:
    strings = search.strings
    looked = (
        f"Zero access: {strings.count} strings ({len(strings.keys)} as keys, "
        f"{len(strings.passwords)} as passwords, {len(strings.codes)} as recovery codes) on the "
        f"keys of {len(search.locked.people)} people and {len(search.locked.images)} images: "
    )
    if user:
        opened, expected = search.opened(Kind.PLAINTEXT), expected_of(user)
        return looked + (
            f"{len(opened)} images open, {len(opened & expected)} of the {len(expected)} that "
            f"{user.username} can open, {len(opened - allowed_to(user))} that are not for them."
        )
    mac_keys = len(search.opened(Kind.MAC))
    return looked + (
        f"{len(search.ways)} ways in. The key file opens {mac_keys} keys that check notices."
    )
