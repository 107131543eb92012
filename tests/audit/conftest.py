"""A trail of its own for each test, and the ways in which its parts go away or are changed."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from audit.events import Event, record
from audit.models import AuditEntry
from audit.verification import Kind, verify
from tests.triggers import drop_triggers

ALICE = uuid.UUID("00000000-0000-4000-8000-00000000000a")
BOB = uuid.UUID("00000000-0000-4000-8000-00000000000b")
IMAGE = uuid.UUID("00000000-0000-4000-8000-0000000000f1")


@pytest.fixture(autouse=True)
def trail_file(settings: Any, tmp_path: Path, transactional_db: None) -> Path:
    settings.AUDIT_FILE = tmp_path / "audit.jsonl"
    return settings.AUDIT_FILE


def open_images(count: int) -> None:
    """Record that alice opened an image, `count` times."""
    for number in range(count):
        record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE, number=number)


@pytest.fixture
def five_entries(trail_file: Path) -> None:
    open_images(5)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("sequence"))


def findings(start: int = 1) -> list[tuple[Kind, int, int]]:
    return [(found.kind, found.first, found.last) for found in verify(start=start)]


def tamper(statement: str, *values: Any) -> None:
    """Change the table behind the application's back, as somebody who owns the database can."""
    drop_triggers()
    with connections["audit"].cursor() as cursor:
        cursor.execute(statement, values)


class TableLock:
    """The audit table, held by another connection."""

    LOCK = {
        "sqlite": "BEGIN IMMEDIATE",
        "postgresql": "BEGIN; LOCK TABLE audit_audithead IN EXCLUSIVE MODE",
    }

    def __init__(self) -> None:
        self.connection = connections["audit"].copy()
        self.connection.cursor().execute(self.LOCK[self.connection.vendor])

    def release(self) -> None:
        if self.connection.connection is not None:
            # Answered before it returns; a connection that is only closed lets go some time later.
            self.connection.cursor().execute("ROLLBACK")
        self.connection.close()


@pytest.fixture
def lock_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], TableLock]]:
    """Return a function that locks the table from another connection; nobody waits for it."""
    connection = connections["audit"]
    options = {"sqlite": {"timeout": 0}, "postgresql": {"options": "-c lock_timeout=50ms"}}
    connection.close()
    for name, value in options[connection.vendor].items():
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], name, value)
    held = []

    def lock() -> TableLock:
        held.append(TableLock())
        return held[-1]

    yield lock
    for other in held:
        other.release()
    connection.close()


@pytest.fixture
def unwritable_file(trail_file: Path) -> Path:
    """A folder in the file's place: these tests may run as root, whom no mode keeps out."""
    trail_file.mkdir()
    return trail_file
