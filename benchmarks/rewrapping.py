"""`make bench`: how long it takes until all of a person's keys are wrapped again, and how long
their pages take meanwhile; and how long `rotate_keys --all` takes for a thousand people.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.http_client import HttpClient
from tests.e2e.server import ROOT, Server, environment_of, running

PASSWORD = "correct horse battery"
PAGE = "/images/"


def main() -> None:
    print("| keys wrapped anew | seconds | page requests | a page meanwhile: median, slowest, ms | "
          "a page else, ms |\n|---|---|---|---|---|")  # fmt: skip
    for count in (1000, 10_000):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
            rewrap(server, count)
    for people in (100, 1000):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
            order_for_everybody(server, people)


def rewrap(server: Server, count: int) -> None:
    """Order a new encryption pair and ask for one page after the other until it is done."""
    client = HttpClient(server.address)
    client.register("alice", "Alice Ardent", PASSWORD)
    manage(server, FILL, str(count))
    quiet = [timed(lambda: client.get(PAGE)) for _ in range(20)]
    command(server, "rotate_keys", "alice", "--purpose", "encryption")
    begun, pages = time.perf_counter(), []
    while is_ordered(server):
        pages.append(timed(lambda: client.get(PAGE)))
    seconds = time.perf_counter() - begun
    busy = f"{statistics.median(pages) * 1000:.0f}, {max(pages) * 1000:.0f}"
    usual = f"{statistics.median(quiet) * 1000:.0f}"
    print(f"| {count} | {seconds:.0f} | {len(pages)} | {busy} | {usual} |", flush=True)


def is_ordered(server: Server) -> bool:
    with closing(sqlite3.connect(server.data_dir / "imageshare.sqlite3")) as rows:
        asked = "SELECT count(*) FROM accounts_keyorder WHERE done_at IS NULL"
        return bool(rows.execute(asked).fetchone()[0])


def order_for_everybody(server: Server, people: int) -> None:
    HttpClient(server.address).register("alice", "Alice Ardent", PASSWORD)
    manage(server, PEOPLE_LIKE_ALICE, str(people))
    begun = time.perf_counter()
    said, peak_mb = command(server, "rotate_keys", "--all")
    seconds = time.perf_counter() - begun
    print(f"\n`rotate_keys --all` for {people + 1} people: {seconds:.0f} s, {peak_mb} MB. {said}")
    begun = time.perf_counter()
    command(server, "rotate_keys", "--status")
    print(f"`rotate_keys --status`: {time.perf_counter() - begun:.0f} s.")


def timed(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    assert act().status == 200
    return time.perf_counter() - begun


def command(server: Server, *words: str) -> tuple[str, int]:
    """Return what a command printed, and its peak memory in MB."""
    return _python(server, "manage.py", *words)


def manage(server: Server, program: str, *words: str) -> None:
    _python(server, "-c", BEGIN + program, *words)


def _python(server: Server, *words: str) -> tuple[str, int]:
    environment = environment_of(server.data_dir, server.port)
    environment["DJANGO_SETTINGS_MODULE"] = "imageshare.settings"
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=printed,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, words
        printed.seek(0)
        return printed.read(), usage.ru_maxrss // 1024


BEGIN = """
import sys
import django
django.setup()
from accounts.models import KeyPair, MacKey, User
"""
FILL = """
from tests.accounts.rewrapping import wrapped_to
wrapped_to(KeyPair.objects.get(purpose="encryption", state="primary"), int(sys.argv[1]))
"""
# Rows alone: their keys open nothing, and nothing here opens them.
PEOPLE_LIKE_ALICE = """
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
pairs, mac_key = list(KeyPair.objects.all()), MacKey.objects.get()
for number in range(int(sys.argv[1])):
    name = f"person-{number:04}"
    user = User.objects.create(username=name, skeleton=name, master_key_version=1)
    for row in (*pairs, mac_key):
        row.pk, row.user = uuid4(), user
        if hasattr(row, "fingerprint"):
            row.fingerprint = uuid4().hex + uuid4().hex
        row.save(force_insert=True)
MacKey.objects.update(created_at=timezone.now() - timedelta(days=400))
"""

if __name__ == "__main__":
    main()
