"""A real server, the people who use it, and its parts taken away behind its back."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.conftest import PASSWORD, jpeg
from tests.e2e.http_client import Answer, HttpClient
from tests.e2e.server import Server, running

ROWS = "SELECT id FROM gallery_{}"
TABLES = ("sealedimage", "rendition", "statement", "grant", "notice")
LOCK = "BEGIN IMMEDIATE"
if postgres.SERVER:
    LOCK = "BEGIN; LOCK TABLE gallery_sealedimage IN ACCESS EXCLUSIVE MODE"


@dataclass
class Site:
    """A server, with alice who owns images and bob who receives them."""

    server: Server
    alice: HttpClient
    bob: HttpClient
    picture: bytes

    # ---- what people do --------------------------------------------------------------------

    def upload(self) -> Answer:
        return self.alice.upload([("x.jpg", self.picture)], keep_details="1", recipients="bob")

    def shared(self) -> str:
        """Return the id of a new image that bob may open."""
        answer = self.upload()
        assert answer.status == 201, answer.body
        return str(answer.json()["images"][0]["id"])

    def revoke(self, image: str) -> Answer:
        return self.alice.post(f"/images/{image}/revoke/", {"recipient": "bob"})

    def open(self, image: str) -> Answer:
        return self.bob.get(f"/images/{image}/original")

    # ---- what is kept ----------------------------------------------------------------------

    @property
    def audit_file(self) -> Path:
        return self.server.data_dir / "audit.jsonl"

    def kept(self) -> tuple[object, ...]:
        """Every stored file, left-overs of unfinished writes included, and every row."""
        images = self.server.data_dir / "images"
        files = {path.name for path in images.rglob("*") if path.is_file()}
        with closing(connected(self.server.data_dir, "imageshare")) as business:
            rows = [business.execute(ROWS.format(table)).fetchall() for table in TABLES]
        return files, *map(sorted, rows)

    def in_table(self, event: str, image: str = "") -> int:
        """How often the trail's table says that this was done."""
        with closing(connected(self.server.data_dir, "audit")) as trail:
            leaves = trail.execute("SELECT leaf FROM audit_auditentry").fetchall()
        return _telling((bytes(leaf).decode() for (leaf,) in leaves), event, image)

    def in_file(self, event: str, image: str) -> int:
        """How often the trail's file says that this was done."""
        lines = self.audit_file.read_text().replace("\\", "").splitlines()
        return _telling(lines, event, image)


def _telling(leaves: Iterable[str], event: str, image: str) -> int:
    parts = (f'"event":"{event}"', '"outcome":"done"', image)
    return sum(all(part in leaf for part in parts) for leaf in leaves)


def connected(data_dir: Path, name: str) -> Any:
    """Return a connection to a database of the server's, as somebody beside it has."""
    if not postgres.SERVER:
        return sqlite3.connect(data_dir / f"{name}.sqlite3", isolation_level=None)
    import psycopg

    place = {"audit": "-c search_path=audit"}
    return psycopg.connect(
        postgres.database_of(data_dir), autocommit=True, options=place.get(name, "")
    )


def business_address(data_dir: Path) -> str:
    """Return the business database's URL, with little patience for somebody else's lock."""
    if postgres.SERVER:
        return f"{postgres.database_of(data_dir)}?options=-c%20lock_timeout%3D50ms"
    return f"sqlite:///{data_dir / 'imageshare.sqlite3'}?timeout=1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("faults") / "data"
    with running(data_dir, DATABASE_URL=business_address(data_dir)) as server:
        alice, bob = HttpClient(server.address), HttpClient(server.address)
        alice.register("alice", "Alice Ardent", PASSWORD)
        bob.register("bob", "Bob Brook", PASSWORD)
        yield Site(server, alice, bob, jpeg())


# ---- parts taken away --------------------------------------------------------------------------


@contextmanager
def without_table(site: Site) -> Iterator[None]:
    with closing(connected(site.server.data_dir, "audit")) as trail:
        trail.execute("ALTER TABLE audit_auditentry RENAME TO elsewhere")
        try:
            yield
        finally:
            trail.execute("ALTER TABLE elsewhere RENAME TO audit_auditentry")


@contextmanager
def without_file(site: Site) -> Iterator[None]:
    """Put a folder in the file's place: these tests may run as root, whom no mode keeps out."""
    aside = site.audit_file.with_name("audit.jsonl.1")
    site.audit_file.rename(aside)
    site.audit_file.mkdir()
    try:
        yield
    finally:
        site.audit_file.rmdir()
        aside.rename(site.audit_file)


@contextmanager
def without_trail(site: Site) -> Iterator[None]:
    with without_table(site), without_file(site):
        yield


@contextmanager
def locked_business(site: Site) -> Iterator[None]:
    """Let another process hold the business database."""
    with closing(connected(site.server.data_dir, "imageshare")) as holder:
        holder.execute(LOCK)
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
