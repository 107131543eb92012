"""What we ask of a database, whichever engine its URL names: SQLite or PostgreSQL.

Two of them, one for the business, one for the audit trail, so that a transaction rolled back in
the first cannot take a refusal's record with it.
"""

import sys
from importlib.util import find_spec
from typing import Any

from environ import Env

SQLITE, POSTGRES = "django.db.backends.sqlite3", "django.db.backends.postgresql"
# Ours: Django's, but no stored value stops a page.
READING_SQLITE, READING_POSTGRES = "imageshare.sqlite", "imageshare.postgres"
AUDIT_SCHEMA = "audit"
AWAY = "The database does not answer. Nothing was started. It said: {}"

SQLITE_OPTIONS = {
    # A DEFERRED transaction that reads and then writes fails at once, whatever the timeout.
    "transaction_mode": "IMMEDIATE",
    # FULL: WAL under NORMAL may lose the last commits at a power cut. secure_delete: destroyed
    # keys are overwritten rather than left in free pages.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF;"
    ),
}
# Nobody waits for ever for a row, least of all for one that a machine held which vanished.
POSTGRES_SESSION = "-c lock_timeout={}s -c idle_in_transaction_session_timeout=60s"
# Each thread keeps its connections between requests and looks at them before each one: after a
# restart of the server every thread finds its own dead, and opens new ones, at its next request.
KEPT = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def configured(url: dict[str, Any], *, wait_seconds: int) -> dict[str, Any]:
    """Return the database of a parsed URL with what we ask of its engine."""
    if url["ENGINE"] == SQLITE:
        options = {"timeout": wait_seconds, **url.get("OPTIONS", {}), **SQLITE_OPTIONS}
        return {**url, "ENGINE": READING_SQLITE, "ATOMIC_REQUESTS": False, "OPTIONS": options}
    if not is_postgres(url):
        sys.exit(
            "A database URL must name SQLite or PostgreSQL, and this one does not. Nothing was "
            "started."
        )
    require_driver()
    options = {"connect_timeout": wait_seconds, **url.get("OPTIONS", {})}
    options.pop("pool", None)  # a pool finds dead connections one by one, ever more slowly
    # What every connection begins with. The operator's word is the last.
    session = f"{POSTGRES_SESSION.format(wait_seconds)} {options.get('options', '')}"
    options["options"] = session
    ours = {"ENGINE": READING_POSTGRES, "ATOMIC_REQUESTS": False, "OPTIONS": options}
    return {**KEPT, **url, **ours}


def is_postgres(config: dict[str, Any]) -> bool:
    return config["ENGINE"] in (POSTGRES, READING_POSTGRES)


def require_driver() -> None:
    """Return if PostgreSQL's driver is here; it is not in requirements.txt. Exits, saying how."""
    if not find_spec("psycopg"):
        sys.exit(
            "A database URL names PostgreSQL, but its driver is not installed. Nothing was "
            "started. Install it: .venv/bin/pip install -r requirements-postgres.txt"
        )


def beside(business: dict[str, Any]) -> dict[str, Any]:
    """Return the trail's place in the business database: a schema and connections of its own.

    Its own schema, because each alias keeps its own table of the migrations it has seen.
    """
    options = business["OPTIONS"]
    session = f"{options['options']} -c search_path={AUDIT_SCHEMA}"
    return {**business, "OPTIONS": {**options, "options": session}}


def has_people(address: str) -> bool:
    """Whether the PostgreSQL database at this URL was ever used. Needs no settings."""
    require_driver()
    import psycopg

    url = Env.db_url_config(address)
    where = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}
    named = {name: url[key] for name, key in where.items() if url[key]}
    port, options = url["PORT"] or None, url.get("OPTIONS", {})
    try:
        with psycopg.connect(**named, port=port, **options) as connection:
            row = connection.execute("SELECT to_regclass('accounts_user')").fetchone()
    except psycopg.OperationalError as error:
        sys.exit(AWAY.format(error))
    return row != (None,)
