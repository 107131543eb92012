"""Exif, as far as we need it: a TIFF block (TIFF 6.0; CIPA DC-008, "Exif 2.32")."""

import re
from datetime import datetime
from typing import Literal, NamedTuple

from gallery.containers.common import Findings, Malformed, Removed, number

PREFIX = b"Exif\0\0"  # precedes the block in JPEG, and out of habit elsewhere
ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY = 0x0112, 0x8769, 0x8825
TAKEN, TAKEN_OFFSET = 0x9003, 0x9011
SHORT = 3

EMPTY = b"MM\0*\0\0\0\x08" + bytes(6)  # a directory of no entries


class Entry(NamedTuple):
    """One field of a directory; `at` is where its value, or the value's offset, lies."""

    kind: int
    amount: int
    at: int


class Block(NamedTuple):
    data: bytes | memoryview
    order: Literal["big", "little"]

    def number(self, at: int, size: int) -> int:
        return number(self.data, at, size, self.order)

    def directory(self, at: int) -> tuple[dict[int, Entry], int]:
        """Return the entries of the directory at `at`, and where the next one lies (0: none)."""
        count = self.number(at, 2)
        end = at + 2 + 12 * count
        following = self.number(end, 4)
        entries = {
            self.number(field, 2): Entry(
                self.number(field + 2, 2), self.number(field + 4, 4), field + 8
            )
            for field in range(at + 2, end, 12)
        }
        return entries, following

    def text(self, entry: Entry | None, length: int) -> str:
        if entry is None or entry.amount != length + 1:
            return ""
        at = self.number(entry.at, 4)
        return bytes(self.data[at : at + length]).decode("ascii", "replace")


def orientation_only(orientation: int) -> bytes:
    """Return a block that holds the orientation and nothing else: 26 bytes."""
    entry = ORIENTATION.to_bytes(2) + SHORT.to_bytes(2) + (1).to_bytes(4)
    value = orientation.to_bytes(2) + bytes(2)
    return b"MM\0*\0\0\0\x08\0\x01" + entry + value + bytes(4)


def note(block: bytes | memoryview, found: Findings) -> None:
    """Note the orientation, the time, and what kinds of details a block holds.

    Of several blocks the first counts, as in browsers. One nobody can read costs the picture
    nothing: it counts as camera details, and goes.
    """
    if block[: len(PREFIX)] == PREFIX:
        block = block[len(PREFIX) :]
    try:
        _note(_opened(block), found)
    except Malformed:
        found.removed.add(Removed.CAMERA)


def _opened(block: bytes | memoryview) -> Block:
    order: Literal["big", "little"] = "little" if block[:2] == b"II" else "big"
    opened = Block(block, order)
    if bytes(block[:2]) not in (b"II", b"MM") or opened.number(2, 2) != 42:
        raise Malformed("not TIFF")
    return opened


def _note(block: Block, found: Findings) -> None:
    entries, following = block.directory(block.number(4, 4))
    if GPS_DIRECTORY in entries:
        found.removed.add(Removed.LOCATION)
    if entries.keys() - {ORIENTATION, GPS_DIRECTORY}:
        found.removed.add(Removed.CAMERA)
    if following:
        found.removed.add(Removed.THUMBNAIL)
    if not found.oriented:
        found.oriented, found.orientation = True, _orientation(block, entries.get(ORIENTATION))
    if EXIF_DIRECTORY in entries:
        details, _ = block.directory(block.number(entries[EXIF_DIRECTORY].at, 4))
        found.captured_at = found.captured_at or _taken(block, details)


def _orientation(block: Block, entry: Entry | None) -> int:
    """Return 1 to 8. What is not one SHORT counts as 1, as browsers have it."""
    if entry is None or (entry.kind, entry.amount) != (SHORT, 1):
        return 1
    orientation = block.number(entry.at, 2)
    return orientation if 1 <= orientation <= 8 else 1


def _taken(block: Block, details: dict[int, Entry]) -> str | None:
    """Return when the picture was taken, ISO 8601; with an offset if the camera knew it."""
    time = block.text(details.get(TAKEN), 19)
    offset = block.text(details.get(TAKEN_OFFSET), 6)
    try:
        taken = datetime.strptime(time, "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
    except ValueError:
        return None
    return taken + offset if re.fullmatch(r"[+-]\d\d:[0-5]\d", offset, re.ASCII) else taken
