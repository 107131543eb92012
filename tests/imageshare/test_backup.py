"""A backup made as docs/operations.md says opens nothing, even if people were unlocked
meanwhile."""

import base64
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.models import Custody, User
from audit.models import AuditEntry
from imageshare.management.commands import backup
from tests import postgres
from tests.e2e.server import ROOT
from tests.environment import DATA_DIR

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def documented_lines() -> str:
    section = OPERATIONS.partition("\n## Back up\n")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^    (.+\n)", section, re.MULTILINE))


def names() -> dict[str, Path]:
    return {alias: Path(connections[alias].settings_dict["NAME"]) for alias in connections}


@pytest.fixture
def unlocked(shared_image, bob):
    """Somebody who is unlocked; what the backup must not hold of them."""
    bob.sign_in()
    row = Custody.objects.get(user=bob.user)
    sessions = [session.session_key.encode() for session in Session.objects.all()]
    return [bytes(row.wrapped_master_key), row.unlock_key.encode(), *sessions]


@pytest.mark.attack("F37")
@postgres.only_sqlite
def test_the_documented_lines_leave_out_people_who_are_unlocked(unlocked, tmp_path):
    databases = names()
    (DATA_DIR / "audit.jsonl").touch()
    # As an installation has them: the suite's files have other names.
    urls = {
        "DATABASE_URL": f"sqlite:///{databases['default']}",
        "AUDIT_DATABASE_URL": f"sqlite:///{databases['audit']}",
    }
    backup = tmp_path / "backup"
    variables = {**os.environ, **urls, "BACKUP": str(backup), "DATA_DIR": str(DATA_DIR)}
    command = ["sh", "-e", "-c", documented_lines()]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept = sqlite3.connect(backup / databases["default"].name)
    assert kept.execute("SELECT count(*) FROM accounts_user").fetchone() == (User.objects.count(),)
    assert kept.execute("SELECT count(*) FROM gallery_sealedimage").fetchone() == (1,)
    trail = sqlite3.connect(backup / databases["audit"].name)
    assert trail.execute("SELECT count(*) FROM audit_auditentry").fetchone()[0] > 0
    assert len(list((backup / "images").glob("*/*"))) >= 4
    assert (backup / "audit.jsonl").exists()
    for path in filter(Path.is_file, backup.rglob("*")):
        content = path.read_bytes()
        for secret in unlocked:
            assert secret not in content, path.name
            assert base64.b64encode(secret) not in content, path.name
    assert not list(backup.glob("*unlock*"))
    assert backup.stat().st_mode & 0o077 == 0
    assert AuditEntry.objects.filter(event="databases:backed-up").count() == 1


@pytest.mark.attack("F37")
def test_the_line_for_postgresql_names_the_tables_that_are_left_out():
    for model in (Custody, Session):
        assert f"--exclude-table-data={model._meta.db_table}" in OPERATIONS


@postgres.only_sqlite
def test_an_earlier_backup_is_not_overwritten(tmp_path):
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not postgres.SERVER, reason="of PostgreSQL")
def test_postgresql_is_left_to_its_own_tool(tmp_path):
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", tmp_path / "backup")


@postgres.only_sqlite
def test_nobody_writes_between_the_copies_of_the_two_databases(bob, tmp_path, monkeypatch):
    copy, held = backup._copy, []

    def copy_and_try_to_write(alias, folder):
        copy(alias, folder)
        with (
            closing(sqlite3.connect(names()["default"], timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        held.append(alias)

    monkeypatch.setattr(backup, "_copy", copy_and_try_to_write)
    call_command("backup", tmp_path / "backup")
    assert held == ["default", "audit"]
