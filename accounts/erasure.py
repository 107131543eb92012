"""Making destroyed keys really gone."""

from contextlib import suppress

from django.db import DatabaseError, connections


def truncate_write_ahead_log(alias: str = "default") -> None:
    """Empty SQLite's write-ahead log, in which destroyed rows would stay readable.

    `secure_delete` overwrites them in the database file alone. Best effort, and without waiting: a
    waiting checkpoint keeps every writer out, so while another connection reads, the log shrinks
    at the next call (`purge` makes one). Other engines keep their own logs (docs/operations.md).
    Never inside a transaction.
    """
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return
    waits_milliseconds = int(1000 * connection.settings_dict["OPTIONS"]["timeout"])
    with connection.cursor() as cursor, suppress(DatabaseError):
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {waits_milliseconds}")
