"""What a test finds when it begins: both databases, the trail's file and the stored images, kept in
memory and put back in one go.

Every test begins with an empty installation, and most of them by making the same people, signing
them in and uploading an image: half a second by the real code. So where the fixtures of a test
have done nothing else, what a step led to lately is put back, and where they have, or a setting or
a function is another one, or the test itself runs, the real code does it.
"""

import sqlite3
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Self

import pytest
from django.conf import Settings, settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.environment import DATA_DIR
from tests.kept_fixtures import Plain
from tests.tables import Tables
from tests.triggers import drop_triggers, install_triggers, migration

ALIASES = ("default", "audit")
TRAIL, IMAGES = DATA_DIR / "audit.jsonl", DATA_DIR / "images"
TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
SECONDS = 60  # so much later than it was made, nothing in a world is over


@dataclass(frozen=True)
class World:
    """One state of everything that is kept."""

    databases: dict[str, Any]
    trail: bytes
    images: dict[Path, bytes]

    @classmethod
    def now(cls) -> Self:
        trail = TRAIL.read_bytes() if TRAIL.exists() else b""
        images = {path: path.read_bytes() for path in IMAGES.glob("*/*")}
        return cls({alias: _rows_in(alias) for alias in ALIASES}, trail, images)

    def put_back(self) -> None:
        for alias, rows in self.databases.items():
            _put_back(alias, rows)
        TRAIL.unlink(missing_ok=True)
        if self.trail:
            TRAIL.write_bytes(self.trail)
        for path in IMAGES.glob("*/*"):
            path.unlink()
        for path, data in self.images.items():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(data)


def _rows_in(alias: str) -> Any:
    connection = connections[alias]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        pages = sqlite3.connect(":memory:")
        connection.connection.backup(pages)
        return pages
    return _tables(alias).read()


@cache
def _tables(alias: str) -> Tables:
    return Tables(alias)


def _put_back(alias: str, rows: Any) -> None:
    """On SQLite the schema, too; on PostgreSQL the trail's triggers."""
    connection = connections[alias]
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        rows.backup(connection.connection)
        return
    _tables(alias).put_back(rows)
    if alias == "audit":
        with connection.cursor() as cursor:
            cursor.execute(TRIGGERS)
            triggers = cursor.fetchone()
        if triggers != (len(migration.POSTGRES),):
            drop_triggers()
            install_triggers()


# ---- steps -----------------------------------------------------------------------------------


@dataclass
class Step:
    """What a step led to: what its caller has to know, and the world."""

    facts: Any
    pairs: int
    world: World
    made_at: float

    def is_fresh(self) -> bool:
        return time.monotonic() < self.made_at + SECONDS


class Fixtures:
    """What the fixtures of the test that runs have done so far."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], Step] = {}
        self.changes = 0  # statements that may have changed a row, of every thread
        self.begin(None)

    def begin(self, monkeypatch: pytest.MonkeyPatch | None) -> None:
        """Take the world as it is for the empty one. Whatever this patches from now on counts."""
        self.pairs, self.steps, self.seen = 0, (), self.changes
        self.plain, self.oldest = Plain(), float("inf")
        self.monkeypatch, self.patched = monkeypatch, len(_patches(monkeypatch))

    def end(self) -> None:
        """From here on the real code does everything: the test itself runs."""
        self.monkeypatch = None

    def next_pair(self) -> int:
        self.pairs += 1
        return self.pairs

    def _is_known(self) -> bool:
        """Whether the world is what the steps led to, and everything else as it always is."""
        return self.seen == self.changes and self._is_as_always()

    def _is_as_always(self) -> bool:
        return (
            self.monkeypatch is not None
            and type(settings._wrapped) is Settings
            and len(_patches(self.monkeypatch)) == self.patched
        )

    def step(self, what: str, *details: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` returns. It has to be all that the caller needs, but for the rows."""
        if not self._is_known():
            return make()
        steps, began = (*self.steps, what, repr(details)), time.monotonic()
        step = self._fresh(steps) or self._keep(steps, make(), began)
        return deepcopy(step.facts)

    def fixture(self, function: Callable[..., Any], name: str, given: dict[str, Any]) -> Any:
        """Return what a fixture returns (tests/kept_fixtures.py)."""
        key = self.plain.key_of(function, given)
        if not key:
            if set(given) & set(self.plain.values):  # it may change these
                self.steps = (*self.steps, function.__qualname__)
            return function(**given)
        result = self._plain_fixture((*self.steps, key), partial(function, **given))
        self.plain.add(name, result, key)
        return result

    def _plain_fixture(self, steps: tuple[str, ...], make: Callable[[], Any]) -> Any:
        if not self._is_known():
            return make()
        if step := self._fresh(steps):
            return self.plain.put_back(step.facts)
        began, result = time.monotonic(), make()
        if self.seen == self.changes:  # what steps of its own did is kept already
            self.steps = self.steps if callable(result) else (*self.steps, steps[-1])
        elif self._is_as_always() and (facts := self.plain.kept(result)):
            self._keep(steps, facts, began)
        return result

    def _fresh(self, steps: tuple[str, ...]) -> Step | None:
        """Return what these steps led to lately, after putting it back."""
        step = self.kept.get(steps)
        if not step or not step.is_fresh():
            return None
        step.world.put_back()
        self._go_on_from(step, steps)
        return step

    def _keep(self, steps: tuple[str, ...], facts: Any, began: float) -> Step:
        self._drop_old(steps)
        step = Step(facts, self.pairs, World.now(), min(self.oldest, began))
        self.kept[steps] = step
        self._go_on_from(step, steps)
        return step

    def _go_on_from(self, step: Step, steps: tuple[str, ...]) -> None:
        self.steps, self.pairs, self.seen = steps, step.pairs, self.changes
        self.oldest = min(self.oldest, step.made_at)

    def _drop_old(self, steps: tuple[str, ...]) -> None:
        """What went on from these steps did so in another world, with other people."""
        self.kept = {
            path: step
            for path, step in self.kept.items()
            if step.is_fresh() and path[: len(steps)] != steps
        }


def _patches(monkeypatch: pytest.MonkeyPatch | None) -> list[Any]:
    return [*monkeypatch._setattr, *monkeypatch._setitem] if monkeypatch else []


fixtures = Fixtures()


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


def _count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    fixtures.changes += not sql.startswith("SELECT")
    return execute(sql, params, many, context)
