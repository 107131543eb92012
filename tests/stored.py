"""Whether a database holds some bytes, in whatever it keeps them."""

from django.db import connections

from tests import postgres
from tests.environment import DATA_DIR


def holds(needle: bytes, alias: str = "default") -> bool:
    """Whether `needle` is in SQLite's file or its log, or in a row on PostgreSQL."""
    name = connections[alias].settings_dict["NAME"]
    if postgres.SERVER:
        rows = postgres.content_of(postgres.address(name))
        return needle in rows or needle.hex().encode() in rows
    files = [DATA_DIR / name, DATA_DIR / f"{name}-wal"]
    return any(needle in path.read_bytes() for path in files if path.exists())
