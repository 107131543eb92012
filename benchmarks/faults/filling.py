"""A disk that fills up to the last byte under one part, and is given room again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.faults.people import Person, image_of, picture
from benchmarks.faults.table import Table
from tests.e2e.http_client import Answer
from tests.e2e.server import running

ROOM = 20 * 2**20
BEFORE, WHILE_FULL, AFTER = 5, 20, 5
# The table takes what the file cannot, with an alarm. Anything else has nowhere to go.
WANTED = {"images": 503, "databases": 503, "audit file": 201}


def fill_each_part(folder: Path, table: Table) -> None:
    for number, part in enumerate(WANTED):
        with small_disk(folder / f"disk-{number}") as disk:
            fill_up(folder / f"data-{number}", disk, part, table)


@contextmanager
def small_disk(disk: Path) -> Iterator[Path]:
    disk.mkdir()
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)])
    try:
        yield disk
    finally:
        subprocess.call(["umount", "-l", str(disk)])


def fill_up(data_dir: Path, disk: Path, part: str, table: Table) -> None:
    """Put one part on the small disk, fill it, see what is answered, make room, go on."""
    with running(data_dir, **placed(data_dir, disk, part)) as server:
        alice, kept = Person(server, "alice"), {}
        try_some(alice, kept, BEFORE)
        ballast = disk / "ballast"
        fill(ballast)
        table.answers(f"the disk of the {part} is full", try_some(alice, kept, WHILE_FULL),
                      WANTED[part])  # fmt: skip
        ballast.unlink()
        table.answers("… and there is room again", try_some(alice, kept, AFTER), 201)
        wrong = sum(not alice.opens(image, data) for image, data in kept.items())
        table.row(f"acknowledged and lost, disk of the {part}", len(kept), wrong)


def placed(data_dir: Path, disk: Path, part: str) -> dict[str, str]:
    """Return the settings that put this part on the disk, and what else that takes."""
    data_dir.mkdir()
    if part == "images":
        (data_dir / "images").symlink_to(disk)
        return {}
    if part == "audit file":
        return {"AUDIT_FILE": str(disk / "audit.jsonl")}
    return {
        "DATABASE_URL": f"sqlite:///{disk / 'imageshare.sqlite3'}",
        "AUDIT_DATABASE_URL": f"sqlite:///{disk / 'audit.sqlite3'}",
    }


def try_some(alice: Person, kept: dict[str, bytes], count: int) -> list[Answer]:
    answers = []
    for _ in range(count):
        data = picture(len(kept) + len(answers), size=(640, 480))
        answers.append(alice.upload(data))
        if answers[-1].status == 201:
            kept[image_of(answers[-1])] = data
    return answers


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(path).f_bavail == 0
