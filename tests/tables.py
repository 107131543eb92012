"""The tables of a PostgreSQL database: their rows, kept as text and put back in one message.

Which of them changed is told by the versions of their rows: where a row is, and which transaction
wrote it. No other row ever has both. Reading every row takes several times as long.
"""

from typing import Any
from weakref import WeakSet

from django.db import connections

TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = "
    "current_schema() AND tablename <> 'django_migrations'"
)
VERSIONS = "(SELECT (array_agg(ctid), array_agg(xmin))::text FROM {})"
ROWS = "(SELECT array_agg(one)::text FROM {} one)"


class Tables:
    """Those of one database. Their names are asked for once: no test makes or drops any."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.names = [name for (name,) in self._execute(TABLES)]
        self.versions = dict.fromkeys(self.names, "")  # of what was there at the last look
        self.rows: dict[str, str | None] = {}
        self.prepared: WeakSet[Any] = WeakSet()  # connections: planning takes most of the time

    def read(self) -> dict[str, str | None]:
        """Return the rows of each table, as text that casts back to them."""
        now = self._versions_now()
        if changed := [name for name in self.names if now[name] != self.versions[name]]:
            asked = ", ".join(map(ROWS.format, changed))
            (found,) = self._execute(f"SELECT {asked}")
            self._keep(now, dict(zip(changed, found, strict=True)))
        return dict(self.rows)

    def put_back(self, rows: dict[str, str | None]) -> None:
        """Sequences go on: no number in a row comes again."""
        now = self._versions_now()
        changed = {
            name: rows[name]
            for name in self.names
            if now[name] != self.versions[name] or rows[name] != self.rows[name]
        }
        if changed:
            after = self._named(self._execute(_replacing(changed), list(changed.values())))
            self._keep(now | {name: after[name] for name in changed}, changed)

    def _keep(self, versions: dict[str, str], rows: dict[str, str | None]) -> None:
        self.versions = versions
        self.rows |= rows

    def _versions_now(self) -> dict[str, str]:
        connections[self.alias].ensure_connection()
        connection = connections[self.alias].connection
        if connection not in self.prepared:
            asked = ", ".join(map(VERSIONS.format, self.names))
            self._execute(f"PREPARE versions AS SELECT {asked}")
            self.prepared.add(connection)
        return self._named(self._execute("EXECUTE versions"))

    def _named(self, found: list[tuple[Any, ...]]) -> dict[str, Any]:
        return dict(zip(self.names, *found, strict=True))

    def _execute(self, message: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows that one statement of this message answers with, or none."""
        with connections[self.alias].cursor() as cursor:
            cursor.execute(message, values)
            while not cursor.description and cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []


def _replacing(tables: dict[str, str | None]) -> str:
    """Return one transaction, as a replica applies changes: neither triggers nor foreign keys are
    asked."""
    begin = "BEGIN; SET LOCAL session_replication_role = replica"
    emptied = [f"DELETE FROM {name}" for name in tables]
    filled = [f"INSERT INTO {name} SELECT * FROM unnest(%s::{name}[])" for name in tables]
    return "; ".join([begin, *emptied, *filled, "EXECUTE versions", "COMMIT"])
