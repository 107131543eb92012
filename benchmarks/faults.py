"""`make faults`: a real server, killed again and again and run out of room; what was lost?

Prints a table of tried and bad, and exits with 1 if anything was bad. Needs root for the part with
a disk of its own that fills up.
"""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

from PIL import Image

from tests.e2e.http_client import HttpClient
from tests.e2e.server import ROOT, Server, environment_of, running

UPLOADS, KILLS = 200, 40
PASSWORD = "correct horse battery"
ROOM = 20 * 2**20
ALLOWED = {201, 413, 422, 503, 507}


class Table:
    """What was tried, and how often it went wrong."""

    def __init__(self) -> None:
        self.bad = 0

    def row(self, what: str, tried: int, bad: int) -> None:
        self.bad += bad
        print(f"| {what} | {tried} | {bad} |", flush=True)


def main() -> None:
    table = Table()
    print("| what | tried | bad |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        kill_again_and_again(Path(folder) / "killed", table)
    if os.geteuid() == 0:
        for part in ("images", "databases", "audit file"):
            with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder)) as disk:
                fill_up(Path(folder) / "data", disk, part, table)
    sys.exit(1 if table.bad else 0)


# ---- killed -----------------------------------------------------------------------------------


def kill_again_and_again(data_dir: Path, table: Table) -> None:
    """Upload without pause while the server is killed at random moments and started again."""
    acknowledged: dict[str, bytes] = {}
    chance = random.Random(7)
    client, kills = None, 0
    while len(acknowledged) < UPLOADS or kills < KILLS:
        with running(data_dir) as server:
            client = client or registered(server)
            client.address = server.address
            unlock(client)
            doom = threading.Timer(chance.uniform(0.2, 2.5), kill, [server])
            doom.start()
            upload_until_refused(client, acknowledged, len(acknowledged))
            doom.join()
            kills += 1
            server.process.wait(timeout=30)
    with running(data_dir) as server:
        client.address = server.address
        unlock(client)
        wrong = sum(not opens(client, image, data) for image, data in acknowledged.items())
        table.row(
            "uploads acknowledged, then lost or changed by a kill -9", len(acknowledged), wrong
        )
        listed = all_mine(client)
        unreadable = sum(card["state"] != "verified" for card in listed)
        table.row("images listed after all kills that do not verify", len(listed), unreadable)
        after_all(data_dir, server, kills, table)


def after_all(data_dir: Path, server: Server, kills: int, table: Table) -> None:
    table.row("kills", kills, 0)
    print(f"(before purge: {manage(data_dir, server, 'purge', '--dry-run')[1].strip()})")
    manage(data_dir, server, "purge")
    left = manage(data_dir, server, "purge", "--dry-run")[1]
    table.row("orphans after purge", 1, int(not left.startswith("would remove 0 orphans")))
    status, said = manage(data_dir, server, "verify_audit", "--reconcile")
    print(f"({said.strip()})")
    table.row("audit trail after reconciling", 1, status)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


def kill(server: Server) -> None:
    for process in server.processes():
        os.kill(process, signal.SIGKILL)


def registered(server: Server) -> HttpClient:
    client = HttpClient(server.address)
    client.register("alice", "Alice Ardent", PASSWORD)
    return client


def unlock(client: HttpClient) -> None:
    """Sign in anew where the session did not survive, unlock where the keys did not."""
    form = {"username": "alice", "password": PASSWORD}
    if client.get("/images/").status == 401:
        assert client.post("/accounts/login/", form).status == 200
    if client.get("/images/upload/", as_json=False).status != 200:
        assert client.post("/accounts/unlock/", {"password": PASSWORD}).status == 200


def upload_until_refused(client: HttpClient, acknowledged: dict[str, bytes], number: int) -> None:
    while True:
        number += 1
        data = jpeg((number % 256, number // 256, 99))
        try:
            answer = client.upload([("x.jpg", data)], keep_details="1")
        except (OSError, HTTPException):  # killed in the middle, perhaps of its answer
            return
        if answer.status != 201:
            return
        acknowledged[answer.json()["images"][0]["id"]] = data


def opens(client: HttpClient, image: str, data: bytes) -> bool:
    return client.get(f"/images/{image}/original").body == data


def all_mine(client: HttpClient) -> list[dict]:
    first = client.get("/images/mine/").json()
    cards = first["images"]
    for page in range(2, first["pages"] + 1):
        cards += client.get(f"/images/mine/?page={page}").json()["images"]
    return cards


def manage(data_dir: Path, server: Server, *words: str) -> tuple[int, str]:
    environment = {**environment_of(data_dir, server.port), "PURGE_GRACE_SECONDS": "0"}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout or done.stderr


# ---- full -------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)])
    try:
        yield disk
    finally:
        subprocess.call(["umount", "-l", str(disk)])


def fill_up(data_dir: Path, disk: Path, part: str, table: Table) -> None:
    """Put one part on the small disk, fill it, see what is answered, make room, go on."""
    data_dir.mkdir()
    variables = {}
    if part == "images":
        (data_dir / "images").symlink_to(disk)
    elif part == "audit file":
        variables["AUDIT_FILE"] = str(disk / "audit.jsonl")
    else:
        variables["DATABASE_URL"] = f"sqlite:///{disk / 'imageshare.sqlite3'}"
        variables["AUDIT_DATABASE_URL"] = f"sqlite:///{disk / 'audit.sqlite3'}"
    with running(data_dir, **variables) as server:
        client = registered(server)
        kept: dict[str, bytes] = {}
        statuses = [_try(client, kept, number) for number in range(5)]
        ballast = disk / "ballast"
        _fill(ballast)
        statuses += [_try(client, kept, number) for number in range(5, 25)]
        table.row(
            f"answers while the disk of the {part} is full",
            20,
            sum(s not in ALLOWED for s in statuses),
        )
        ballast.unlink()
        time.sleep(0.5)
        again = [_try(client, kept, number) for number in range(25, 30)]
        table.row(
            f"uploads refused once there was room again ({part})", 5, sum(s != 201 for s in again)
        )
        wrong = sum(not opens(client, image, data) for image, data in kept.items())
        table.row(f"acknowledged and lost, disk of the {part}", len(kept), wrong)
        met = {str(status): statuses[5:].count(status) for status in sorted(set(statuses[5:]))}
        print(f"(while full: {json.dumps(met)})")


def _try(client: HttpClient, kept: dict[str, bytes], number: int) -> int:
    data = jpeg((number, 9, 9), size=(640, 480))
    answer = client.upload([("x.jpg", data)], keep_details="1")
    if answer.status == 201:
        kept[answer.json()["images"][0]["id"]] = data
    return answer.status


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


if __name__ == "__main__":
    main()
