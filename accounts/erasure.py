"""Making destroyed keys really gone."""

from django.db import connections


def truncate_write_ahead_log(alias: str = "default") -> None:
    """Empty SQLite's write-ahead log, in which destroyed rows would stay readable.

    `secure_delete` overwrites them in the database file alone. Best effort: while another
    connection reads, the log shrinks at the next call. Other engines keep their own logs
    (docs/operations.md). Never inside a transaction.
    """
    connection = connections[alias]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
