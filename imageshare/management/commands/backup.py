"""The databases, as they may lie in a backup: without who is signed in or unlocked just now."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from accounts.models import Custody
from audit.events import Event, record
from imageshare.keyfile import write_private

WAIT_SECONDS = 60  # for writers to come to an end
# Rows that would unlock or sign in somebody who has the backup and a person's cookies.
LEFT_OUT = {DEFAULT_DB_ALIAS: (Custody, Session)}


class Command(BaseCommand):
    help = (
        "Write the SQLite databases into the new folder DIR, which only its owner can read, both "
        "as they are at one moment, while the server runs. Rows of people who are signed in or "
        "unlocked now are left out: people sign in again after a restore. Copy the trail's file "
        "and the stored images after it, and keep the key file apart (docs/operations.md). "
        "Refuses a folder that exists already, and PostgreSQL, which pg_dump backs up. Records "
        "one event. Exit status 1: nothing, or not all, was written, and the last line says what "
        "to do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="made by this command")

    def handle(self, *, folder: Path, **options: Any) -> None:
        if any(connection.vendor != "sqlite" for connection in connections.all()):
            raise CommandError("Not SQLite: use pg_dump (docs/operations.md). Nothing was written.")
        os.umask(0o077)
        try:
            folder.mkdir(mode=0o700)
            with _writers_held():
                for alias in connections:
                    _copy(alias, folder)
        except FileExistsError:
            raise CommandError(f"{folder} exists already. Nothing was written.") from None
        except (OSError, sqlite3.Error) as error:
            why = f"{type(error).__name__}: {error}"
            raise CommandError(
                f"This is not a whole backup: remove {folder} and try again. {why}"
            ) from None
        record(Event.DATABASES_BACKED_UP, actor=None)
        self.stdout.write(f"Databases are in {folder}. Copy the images and the trail's file next.")


@contextmanager
def _writers_held() -> Iterator[None]:
    """Let nobody write to the business database meanwhile: the trail says of each image which
    state is the newest, so a copy of another moment would refuse what changed between the two."""
    name = connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    with closing(sqlite3.connect(name, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def _copy(alias: str, folder: Path) -> None:
    """Copy a database, then take out of the copy what no backup may hold."""
    name = Path(connections[alias].settings_dict["NAME"])
    copy = folder / name.name
    write_private(copy, "")
    with connections[alias].cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        # In memory, or the rows would lie in a journal; overwritten, not only unlinked.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA secure_delete = ON")
        for model in LEFT_OUT.get(alias, ()):
            connection.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608, a name of ours
