"""Every column of every row of the main database, changed as anybody who can write to it would.

SQLite keeps any value in any column, whatever the column's type; PostgreSQL takes those that fit.
What a database refuses to keep nobody can put there, and is no flip.
"""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import Error, connection, models, transaction

ALL = bool(os.environ.get("FLIP_ALL"))  # every change, not only some: hours
NOT_UTF8 = "CAST(x'ff616263ff' AS TEXT)"  # SQL of SQLite's, not a value

VALUES: dict[str, Any] = {
    "nothing": None,
    "empty": "",
    "text": "no such thing",
    "a path": "../../etc/passwd",
    "bytes": b"\xff\xfe\x00\x80",
    "zero": 0,
    "huge": 2**63 - 1,
    "minus": -1,
    "float": 1.5,
    "infinite": float("inf"),
    "UUID of nothing": "7b0e2a526f0e4c579d0a3a1c5a0f7e11",
    "UUID of zeros": "0" * 32,
    "long past": "0001-01-01 00:00:00",
    "far future": "9999-12-31 23:59:59.999999",
    "no day": "2026-13-45 25:61:00",
    "no end of time": "infinity",
    "before our era": "4000-01-01 00:00:00 BC",
}
NO_TEXT, SWAPPED, COPIED = "text not in UTF-8", "swapped with another's", "another's"
# What of these most likely breaks a page, by the type of the column; pages are slow.
TELLING: dict[type[models.Field], tuple[str, ...]] = {
    models.UUIDField: ("text", "UUID of nothing", "UUID of zeros", "huge", "bytes"),
    models.DateTimeField: (
        *("text", "no day", "long past", "far future", "bytes"),
        *("no end of time", "before our era"),
    ),
    models.IntegerField: ("text", "huge", "minus", "float", "zero"),
    models.BooleanField: ("text", "huge", "bytes"),
    models.BinaryField: ("empty", "text", "bytes"),
    models.CharField: ("empty", "a path", "bytes"),
    models.TextField: ("empty", "text", "bytes"),
}


@dataclass(frozen=True)
class Flip:
    """One change: this column of the row with this key gets that value."""

    model: type[models.Model]
    key: Any
    column: str
    what: str
    other: Any = None  # the key of another row of the table

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.column} of {self.key}: {self.what}"

    def make(self) -> bool:
        """Change the row; return whether the database took it."""
        try:
            with unguarded(), transaction.atomic():
                return self._changes()
        except (Error, OverflowError):
            return False

    def _changes(self) -> bool:
        before = value_of(self.model, self.key, self.column)
        if self.what == NO_TEXT:
            put(self.model, self.key, self.column, sql=NOT_UTF8)
            return True
        if self.what in VALUES:
            put(self.model, self.key, self.column, VALUES[self.what])
        else:
            self._take_from_other(before)
        is_key = self.column == key_of(self.model)
        return is_key or value_of(self.model, self.key, self.column) != before

    def _take_from_other(self, mine: Any) -> None:
        others = value_of(self.model, self.other, self.column)
        is_key = self.column == key_of(self.model)
        if self.what == SWAPPED:
            put(self.model, self.other, self.column, _between(mine))
        put(self.model, self.key, self.column, others)
        if self.what == SWAPPED:
            put(self.model, _between(mine) if is_key else self.other, self.column, mine)


def _between(value: Any) -> Any:
    """A value nobody has, so that two unique ones can change places."""
    if isinstance(value, int):
        return 2**31 - 7
    return uuid.UUID(int=7).hex if isinstance(value, str) and len(value) == 32 else "between"


def key_of(model: type[models.Model]) -> str:
    return model._meta.pk.column


def value_of(model: type[models.Model], key: Any, column: str) -> Any:
    """Return what is stored, as it is: of an expression no driver guesses a type."""
    table, column, where = map(quoted, (model._meta.db_table, column, key_of(model)))
    statement = f"SELECT COALESCE({column}, NULL) FROM {table} WHERE {where} = %s"
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        (value,) = cursor.fetchone()
    return value


def put(model: type[models.Model], key: Any, column: str, *value: Any, sql: str = "%s") -> None:
    table, column, where = map(quoted, (model._meta.db_table, column, key_of(model)))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = {sql} WHERE {where} = %s", [*value, key])


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def tables() -> list[type[models.Model]]:
    """Every table of the main database: those that join two as well, and Django's own."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label != "audit" and model._meta.managed
    ]


def keys_of(model: type[models.Model]) -> list[Any]:
    """Return the keys of a table, always in the order in which its rows were added."""
    table, key = quoted(model._meta.db_table), quoted(key_of(model))
    added = "rowid" if connection.vendor == "sqlite" else "ctid"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key} FROM {table} ORDER BY {added}")
        return [row[0] for row in cursor.fetchall()]


def key_as_stored(row: models.Model) -> Any:
    """Return a row's key as its database keeps it: SQLite keeps UUIDs in hex."""
    return row.pk.hex if connection.vendor == "sqlite" else row.pk


def flips_of(model: type[models.Model], keys: list[Any], *, all_values: bool = False) -> list[Flip]:
    """Return the changes to every column of these rows: with all values, or the telling ones."""
    flips = []
    for number, key in enumerate(keys):
        other = keys[(number + 1) % len(keys)]
        for column in model._meta.concrete_fields:
            kinds = [*VALUES] if all_values else list(_telling(column))
            kinds += [NO_TEXT] if connection.vendor == "sqlite" else []
            kinds += [SWAPPED, COPIED] if other != key else []
            flips += [Flip(model, key, column.column, kind, other) for kind in kinds]
    return flips


def some_of(flips: list[Flip]) -> list[list[Flip]]:
    """Return the flips of each column, each column's beginning with another kind and row."""
    columns: dict[str, list[Flip]] = {}
    for flip in flips:
        columns.setdefault(flip.column, []).append(flip)
    starts = (7 * number % len(those) for number, those in enumerate(columns.values()))
    return [those[at:] + those[:at] for at, those in zip(starts, columns.values(), strict=True)]


def columns_of(model: type[models.Model], keys: list[Any]) -> list[list[Flip]]:
    """Return the changes of which one of each list is tried."""
    flips = flips_of(model, keys)
    return [[flip] for flip in flips] if ALL else some_of(flips)


def _telling(column: models.Field) -> tuple[str, ...]:
    kept = column.target_field if isinstance(column, models.ForeignKey) else column
    if isinstance(kept, models.AutoField):
        # The largest leaves SQLite no number for the next row: stated in docs/threat-model.md.
        return ("text", "minus", "zero")
    null = ("nothing",) if column.null else ()
    return null + next(kinds for kind, kinds in TELLING.items() if isinstance(kept, kind))


@contextmanager
def unguarded() -> Iterator[None]:
    """Write as one who opened SQLite's file: its constraints hold for anybody who wants them to."""
    if connection.vendor != "sqlite":
        yield
        return
    execute("PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON")
    try:
        yield
    finally:
        execute("PRAGMA foreign_keys = ON", "PRAGMA ignore_check_constraints = OFF")


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _rows_of(model: type[models.Model]) -> list[tuple[Any, ...]]:
    return list(model._base_manager.order_by("pk").values_list())


class Snapshot:
    """The main database as it is now, to be put back as often as wanted."""

    def __init__(self) -> None:
        if connection.vendor == "sqlite":
            self._copy = sqlite3.connect(":memory:")
            connection.connection.backup(self._copy)
        else:
            self._rows = {model: _rows_of(model) for model in tables()}

    def restore(self) -> None:
        if connection.vendor == "sqlite":
            self._copy.backup(connection.connection)
            return
        changed = {m: rows for m, rows in self._rows.items() if rows != _rows_of(m)}
        with transaction.atomic(), connection.cursor() as cursor:
            for model, rows in changed.items():
                places = ", ".join(["%s"] * len(model._meta.concrete_fields))
                table = quoted(model._meta.db_table)
                columns = ", ".join(quoted(one.column) for one in model._meta.concrete_fields)
                cursor.execute(f"DELETE FROM {table}")
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)
