"""A database backend: Django's for SQLite, which lets no stored value stop a page.

PostgreSQL refuses text in a time's column. SQLite keeps any value in any column, and Django raises
when it reads one that is not of the column's type: not only for its row, but for the whole
query, the whole page, every page that asks for the row. Here it is read as a value that our code
never writes (audit/unreadable.py). So every check of a row refuses it, as it refuses any altered
one, and the rows beside it are read (docs/decisions/0054-altered-rows.md).
"""

import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.backends.sqlite3 import base, operations

from audit.unreadable import NO_ID, NO_NUMBER, NO_TEXT, NO_TIME, readable_time

Reader = Callable[[Any, Any, Any], Any]


class DatabaseOperations(operations.DatabaseOperations):
    def get_db_converters(self, expression: Any) -> list[Reader]:
        internal_type = expression.output_field.get_internal_type()
        if internal_type in self.integer_field_ranges:
            return [_number_reader(*self.integer_field_ranges[internal_type])]
        if internal_type in ("CharField", "TextField"):
            return [_read_text]
        return super().get_db_converters(expression)

    def convert_uuidfield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        try:
            return None if value is None else uuid.UUID(value)
        except (ValueError, TypeError, AttributeError):  # text that is none, or no text
            return NO_ID

    def convert_datetimefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        try:
            time = datetime.fromisoformat(value)
        except (ValueError, TypeError):
            return NO_TIME
        return readable_time(time if time.tzinfo else time.replace(tzinfo=UTC))

    def convert_booleanfield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else value == 1


def _number_reader(least: int, most: int) -> Reader:
    def read(value: Any, expression: Any, connection: Any) -> int | None:
        if value is None or (type(value) is int and least <= value <= most):
            return value
        return NO_NUMBER

    return read


def _read_text(value: Any, expression: Any, connection: Any) -> str | None:
    return value if value is None or type(value) is str else NO_TEXT


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        # Else the driver itself reads times, and raises before anybody is asked.
        return {**super().get_connection_params(), "detect_types": 0}

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.text_factory = _decoded
        return connection


def _decoded(text: bytes) -> str:
    """Otherwise text that is not UTF-8 would fail the query that fetches it."""
    return text.decode("utf-8", "replace")
