"""What a database URL may name, and what is said when it cannot be used."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from django.db import connections

from imageshare import databases
from tests import postgres
from tests.e2e.server import ROOT
from tests.environment import DATA_DIR

LIMITS = {"threads": 7, "wait_seconds": 3}
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
    assert said == "A database URL names neither SQLite nor PostgreSQL. Nothing was started.\n"


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


@with_driver
def test_what_the_url_asks_of_postgresql_is_kept_and_comes_last():
    url = named("postgres://a:b@db/x?sslmode=verify-full&options=-c%20lock_timeout%3D1s")
    options = databases.configured(url, **LIMITS)["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["options"].startswith("-c lock_timeout=3s")
    assert options["options"].endswith("-c lock_timeout=1s")


@with_driver
def test_every_thread_finds_a_connection():
    options = databases.configured(named("postgres://a@db/x?pool=true"), **LIMITS)["OPTIONS"]
    assert options["pool"]["max_size"] == 7


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
@pytest.mark.parametrize("alias", ["default", "audit"])
def test_a_server_that_was_restarted_costs_no_request(client, alias):
    """With few idle connections. The pool finds dead ones one by one, waiting longer each time,
    so a busy site answers 503 for a while after a restart (docs/operations.md)."""
    databases.hang_up()
    assert client.get("/readyz").status_code == 200
    name = connections[alias].settings_dict["NAME"]
    connections.close_all()  # back to the pool, as at the end of a request
    postgres.execute(
        postgres.address("postgres"),
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    assert client.get("/readyz").status_code == 200
