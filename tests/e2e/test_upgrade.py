"""A filled installation of each kept version (tests/fixtures), started by this one as it is.

SQLite on every run of the suite: that is what the kept ones are.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.e2e.http_client import HttpClient
from tests.e2e.server import REAL, ROOT, Server, running
from tests.fixtures import make

KEPT = sorted(make.HERE.glob("*.zip"))
DATABASES = ("imageshare.sqlite3", "audit.sqlite3")


@dataclass
class Upgraded:
    """The server that serves it now, and what was written down of it when it was made."""

    server: Server
    told: dict[str, Any]

    def signed_in(self, username: str) -> HttpClient:
        client = HttpClient(self.server.address)
        typed = {"username": username, "password": self.told["password"]}
        assert client.post("/accounts/login/", typed).json()["unlocked"], username
        return client

    def status_of(self, username: str, image: str, what: str = "original") -> int:
        place = f"/images/{self.told['images'][image]}/{what}"
        return self.signed_in(username).get(place).status


@pytest.fixture(scope="module", params=KEPT, ids=lambda path: path.stem)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("upgraded")
    with ZipFile(request.param) as packed:
        packed.extractall(folder)
    told = json.loads((folder / "told.json").read_text())
    with running(folder / "data", REAL, **make.VARIABLES) as server:
        yield Upgraded(server, told)


def recorded(database: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return set(connection.execute("SELECT app, name FROM django_migrations"))


@pytest.mark.parametrize("database", DATABASES)
def test_every_migration_that_is_here_is_recorded_as_applied(upgraded: Upgraded, database: str):
    """Squashed ones, too: once those they replace are gone, nothing else says that they ran."""
    ours = {
        (path.parts[-3], path.stem)
        for app in ("accounts", "audit", "gallery")
        for path in (ROOT / app / "migrations").glob("0*.py")
    }
    assert ours - recorded(upgraded.server.data_dir / database) == set()


@pytest.mark.parametrize("command", ["verify_audit", "verify_images", "verify_keys"])
def test_what_is_kept_verifies(upgraded: Upgraded, command: str):
    assert ", all as " in make.manage(upgraded.server.data_dir, command).stdout


def test_who_was_granted_opens_the_same_bytes(upgraded: Upgraded):
    bob, lake = upgraded.signed_in("bob"), upgraded.told["images"]["lake"]
    answer = bob.get(f"/images/{lake}/original")
    assert hashlib.sha256(answer.body).hexdigest() == upgraded.told["lake_sha256"]
    verdict = bob.get(f"/images/{lake}/").json()["verdict"]["code"]
    assert verdict == "verified"


@pytest.mark.parametrize(
    ("username", "image", "status"),
    [
        ("carol", "lake", 410),  # revoked
        ("mallory", "lake", 404),
        ("overseer", "lake", 404),
        ("bob", "dawn", 403),  # may look, not download
        ("bob", "gone", 410),  # deleted
    ],
)
def test_nobody_opens_more_than_before(upgraded: Upgraded, username: str, image: str, status: int):
    assert upgraded.status_of(username, image) == status


def test_what_may_be_looked_at_is_shown(upgraded: Upgraded):
    assert upgraded.status_of("bob", "dawn", "preview") == 200


def test_a_recovery_code_from_before_still_opens(upgraded: Upgraded):
    typed = {"recovery_code": upgraded.told["recovery_codes"]["alice"]}
    alice = upgraded.signed_in("alice")
    assert alice.post("/accounts/recovery-code/test/", typed).json() == {"works": True}


def test_notices_from_before_are_genuine(upgraded: Upgraded):
    for username in ("bob", "carol"):
        notices = upgraded.signed_in(username).get("/activity/").json()["notices"]
        assert {notice["state"] for notice in notices} == {"genuine"}


def test_staff_from_before_see_the_invite(upgraded: Upgraded):
    page = upgraded.signed_in("overseer").get("/admin/accounts/invite/", as_json=False)
    assert b"Dora Dune" in page.body
