"""What a database URL may name, and what is said when it cannot be used."""

import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest
from django.conf import settings
from django.db import close_old_connections, connections
from django.test import Client

from imageshare import databases
from tests import postgres
from tests.e2e.server import ROOT
from tests.environment import DATA_DIR

LIMITS = {"wait_seconds": 3}
WITHOUT_DRIVER = "import sys; sys.modules['psycopg'] = None; import imageshare.settings"
with_driver = pytest.mark.skipif(not find_spec("psycopg"), reason="requirements-postgres.txt")


def named(url):
    from environ import Env

    return Env.db_url_config(url)


def said_by(*command, **variables):
    """Run Python where it must refuse; return what it said."""
    answer = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(DATA_DIR), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    return answer.stderr


def test_a_missing_driver_is_one_sentence():
    said = said_by("-c", WITHOUT_DRIVER, DATABASE_URL="postgres://x@127.0.0.1/x")
    assert "pip install -r requirements-postgres.txt" in said
    assert len(said.splitlines()) == 1


def test_another_engine_is_refused_in_one_sentence():
    said = said_by("-c", "import imageshare.settings", DATABASE_URL="mysql://x@127.0.0.1/x")
    assert (
        said == "A database URL must name SQLite or PostgreSQL, and this one does not. "
        "Nothing was started.\n"
    )


def test_an_empty_url_is_none():
    printed = "import imageshare.settings as s; print(s.DATABASES['audit']['NAME'], end='')"
    variables = {"DATA_DIR": str(DATA_DIR), "DATABASE_URL": "", "AUDIT_DATABASE_URL": ""}
    answer = subprocess.run(
        [sys.executable, "-c", printed],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert answer.stdout == str(DATA_DIR / "audit.sqlite3")


def test_how_long_a_busy_sqlite_is_waited_for_is_in_its_url_and_nothing_weaker():
    url = named("sqlite:////data/x?timeout=1&transaction_mode=DEFERRED")
    options = databases.configured(url, **LIMITS)["OPTIONS"]
    assert options == {**databases.SQLITE_OPTIONS, "timeout": 1}


@with_driver
def test_what_the_url_asks_of_postgresql_is_kept_and_comes_last():
    url = named("postgres://a:b@db/x?sslmode=verify-full&options=-c%20lock_timeout%3D1s")
    options = databases.configured(url, **LIMITS)["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["options"].startswith("-c lock_timeout=3s")
    assert options["options"].endswith("-c lock_timeout=1s")


@with_driver
def test_each_thread_keeps_its_connection_unless_the_url_says_otherwise():
    kept = databases.configured(named("postgres://a@db/x?pool=true"), **LIMITS)
    assert (kept["CONN_MAX_AGE"], kept["CONN_HEALTH_CHECKS"]) == (600, True)
    assert "pool" not in kept["OPTIONS"]
    closed = databases.configured(named("postgres://a@db/x?conn_max_age=0"), **LIMITS)
    assert closed["CONN_MAX_AGE"] == 0


@with_driver
def test_beside_the_business_data_the_trail_has_a_schema_of_its_own():
    business = databases.configured(named("postgres://a@db/x"), **LIMITS)
    trail = databases.beside(business)
    assert trail["NAME"] == business["NAME"]
    assert trail["OPTIONS"]["options"].endswith("-c search_path=audit")
    assert "search_path" not in business["OPTIONS"]["options"]


@with_driver
def test_a_server_that_does_not_answer_is_one_sentence(tmp_path):
    answer = said_by(
        "-m", "imageshare.start",
        DATABASE_URL="postgres://x@127.0.0.1:1/x",
        DATA_DIR=str(tmp_path / "data"),
    )  # fmt: skip
    assert "The database does not answer. Nothing was started." in answer
    assert "Traceback" not in answer


@pytest.mark.skipif(not postgres.SERVER, reason="needs a PostgreSQL server")
def test_a_server_that_was_restarted_costs_no_request():
    """Of a site where every thread is busy: each finds its connections dead, all at one moment."""
    threads = settings.THREADS
    everybody = threading.Barrier(threads, timeout=60)
    connections.close_all()  # this thread's own
    with ThreadPoolExecutor(threads) as busy:
        for _ in range(2):
            answers = busy.map(ask_for_health, [everybody] * threads)
            assert Counter(answers) == {200: threads}
            assert sum(map(hang_up, connections)) == 2 * threads
        list(busy.map(close_all, [everybody] * threads))


def ask_for_health(everybody: threading.Barrier) -> int:
    """Ask as a request that keeps its connections until all others have theirs, too."""
    close_old_connections()  # what Django does before a request; its test client does not
    status = Client().get("/readyz").status_code
    everybody.wait()
    close_old_connections()
    everybody.wait()
    return status


def hang_up(alias: str) -> int:
    """End every connection of ours to this database, as a restart does; return how many."""
    name = connections[alias].settings_dict["NAME"]
    return postgres.hang_up(postgres.address(name))


def close_all(everybody: threading.Barrier) -> None:
    everybody.wait()  # so that no thread does it twice
    connections.close_all()
