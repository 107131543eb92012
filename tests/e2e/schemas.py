"""What an installation's databases are made of, as their engine says it, in no order."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests import postgres

Schema = set[tuple[str, ...]]

COMMA_OUTSIDE_PARENTHESES = re.compile(r", (?![^(]*\))")
OURS = "('public', 'audit')"
POSTGRES = f"""
    SELECT 'column', table_schema, table_name, column_name, concat_ws(' ', data_type,
        character_maximum_length, is_nullable, column_default, identity_generation)
    FROM information_schema.columns WHERE table_schema IN {OURS}
    UNION ALL
    SELECT 'index', schemaname, tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname IN {OURS}
    UNION ALL
    SELECT 'constraint', nspname, conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE nspname IN {OURS}
    UNION ALL
    SELECT 'trigger', '', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function', nspname, '', proname, pg_get_functiondef(p.oid)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN {OURS}
"""


def schema_of(data_dir: Path) -> Schema:
    if postgres.SERVER:
        return of_postgres(postgres.database_of(data_dir))
    return of_sqlite(data_dir / "imageshare.sqlite3") | of_sqlite(data_dir / "audit.sqlite3")


def of_postgres(url: str) -> Schema:
    import psycopg

    with psycopg.connect(url) as connection:
        return set(connection.execute(POSTGRES).fetchall())


def of_sqlite(file: Path) -> Schema:
    statement = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(statement).fetchall()
    return {(kind, name, *(parts(sql) if kind == "table" else [sql])) for kind, name, sql in rows}


def parts(table: str) -> list[str]:
    """Return its columns and constraints, which a later migration may have put elsewhere."""
    inside = table.partition("(")[2].rpartition(")")[0]
    return sorted(COMMA_OUTSIDE_PARENTHESES.split(inside))
