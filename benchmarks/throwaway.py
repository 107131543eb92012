"""Where benchmarks keep their data: a folder on a real disk, gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imageshare import start

# What would point at an installation of somebody's, wherever it is set.
ELSEWHERE = ("DATABASE_URL", "AUDIT_DATABASE_URL", "KEY_FILE", "AUDIT_FILE")
DATABASE = "imageshare_bench"
REAL_DISK = Path("/var/tmp")  # outlives a restart (FHS), so never in memory; fsync costs there


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield the path of a data folder that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="imageshare-bench-", dir=REAL_DISK) as folder:
        yield Path(folder) / "data"


def say_how_busy() -> None:
    """Print how busy the machine was: the load of the minute before."""
    print(f"(load of the minute before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores)\n")


@contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a new database on the server that `BENCH_POSTGRES` names, gone afterwards;
    nothing, for SQLite files, if it names none."""
    server = os.environ.get("BENCH_POSTGRES", "").rstrip("/")
    if not server:
        yield ""
        return
    import psycopg

    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield f"{server}/{DATABASE}"
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def prepare(data_dir: Path, database_url: str = "") -> None:
    """Make a new installation and set Django up for it, as the first `make run` does."""
    os.environ.update(dict.fromkeys(ELSEWHERE, ""))
    os.environ["DATABASE_URL"] = database_url
    os.environ.update(DATA_DIR=str(data_dir), DJANGO_SETTINGS_MODULE="imageshare.settings")
    start.make_data_folder(data_dir)
    start.claim_storage(data_dir)
    start.make_secrets(data_dir)
    start.prepare_django()
    start.prepare_databases()
