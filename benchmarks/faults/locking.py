"""A database that another process holds for a minute, as a backup or a stray shell might."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.faults.killing import all_mine
from benchmarks.faults.people import Person, image_of, manage, picture
from benchmarks.faults.table import Table
from tests.e2e.http_client import Answer
from tests.e2e.server import running

HELD_SECONDS, AT_ONCE, AFTER = 60, 4, 5
# An image of which the trail's table knows nothing could never be opened.
WANTED = {"imageshare": 503, "audit": 503}


def lock_each_database(folder: Path, table: Table) -> None:
    for name in WANTED:
        lock_for_a_minute(folder / name, name, table)


def lock_for_a_minute(data_dir: Path, name: str, table: Table) -> None:
    """Let several tabs upload and open while the database is held; then go on, no restart."""
    with running(data_dir) as server:
        alice = Person(server, "alice")
        image = image_of(alice.upload(picture(0)))
        with held(data_dir / f"{name}.sqlite3"), ThreadPoolExecutor(AT_ONCE) as tabs:
            rounds = list(tabs.map(ask_for_a_minute, [(alice, image)] * AT_ONCE))
        uploads, openings = ([answer for one in rounds for answer in one[i]] for i in (0, 1))
        table.answers(f"{name}.sqlite3 is held: uploads", uploads, WANTED[name])
        # SQLite keeps no reader out, but once a minute an opening moves the idle end on: a write.
        refused = [503] if name == "imageshare" else []
        table.answers(f"{name}.sqlite3 is held: openings", openings, 200, *refused)
        again = [alice.upload(picture(number)) for number in range(AFTER)]
        table.answers("… and is let go: uploads", again, 201)
        kept = 1 + sum(answer.status == 201 for answer in (*uploads, *again))
        table.row("images too many or too few", kept, abs(len(all_mine(alice)) - kept))
        orphans = not manage(server, "purge", "--dry-run")[1].startswith("would remove 0 orphans")
        table.row("orphans", 1, int(orphans))
        status, said = manage(server, "verify_audit", "--reconcile")
        table.note(said)
        table.row("audit trail after verify_audit --reconcile", 1, status)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a SQLite database until the last who asked has an answer: so somewhat over a minute."""
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


def ask_for_a_minute(what: tuple[Person, str]) -> tuple[list[Answer], list[Answer]]:
    alice, image = what
    until, uploads, openings = time.monotonic() + HELD_SECONDS, [], []
    while time.monotonic() < until:
        uploads.append(alice.upload(picture(len(uploads))))
        openings.append(alice.open(image))
    return uploads, openings
