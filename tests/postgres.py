"""The server that `make test-postgres` names, and databases on it that end with the run.

Each run has names of its own, so that several may share one server.
"""

import atexit
import hashlib
import os
import secrets
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SERVER = os.environ.get("TEST_POSTGRES", "").rstrip("/")
RUN = f"imageshare_{secrets.token_hex(4)}"
# A process of the suite asks from fifty threads at once, each over two connections.
CONNECTIONS_OF_A_PROCESS = 150
made: set[str] = set()

only_sqlite = pytest.mark.skipif(bool(SERVER), reason="PostgreSQL keeps no such value")


def address(name: str) -> str:
    return f"{SERVER}/{name}"


def connect() -> Any:
    """Return a connection that may make and drop databases. Exits if there is no server."""
    import psycopg

    try:
        return psycopg.connect(address("postgres"), autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        sys.exit(f"No PostgreSQL at {SERVER}, and these tests need one: {error}")


def most_connections() -> int:
    with closing(connect()) as connection:
        return int(connection.execute("SHOW max_connections").fetchone()[0])


def database_of(data_dir: Path) -> str:
    """Return the address of the database of a server that keeps its files there, made if new."""
    name = f"{RUN}_{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    if name not in made:
        with closing(connect()) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        made.add(name)
    return address(name)


@atexit.register
def drop_all() -> None:
    if made:
        with closing(connect()) as connection:
            for name in made:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(statement)


def hang_up(url: str) -> int:
    """End every connection to this database, as a restart does; return how many there were."""
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = %s AND pid <> pg_backend_pid()"
    )
    with closing(connect()) as connection:
        return len(connection.execute(statement, [url.rpartition("/")[2]]).fetchall())


def content_of(url: str) -> bytes:
    """Return every row of every table, as COPY writes it: bytes in hex."""
    import psycopg

    listed = (
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
        "WHERE schemaname IN ('public', 'audit')"
    )
    held = []
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute(listed).fetchall():
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                held += [bytes(row) for row in rows]
    return b"".join(held)
