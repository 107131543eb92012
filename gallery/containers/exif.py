"""Exif, as far as we need it: a TIFF block (TIFF 6.0; CIPA DC-008, "Exif 2.32").

Read as Chromium reads it, so that a picture is turned here as it is there: a directory that says
it has more entries than there is room for has those there is room for, and none needs a next one.
"""

import re
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple

from gallery.containers.common import Findings, Malformed, Removed, number

PREFIX = b"Exif\0\0"  # precedes the block in JPEG, and out of habit elsewhere
ORIENTATION, EXIF_DIRECTORY, GPS_DIRECTORY = 0x0112, 0x8769, 0x8825
TAKEN, TAKEN_OFFSET = 0x9003, 0x9011
SHORT = 3
ENTRY_BYTES = 12

EMPTY = b"MM\0*\0\0\0\x08" + bytes(6)  # a directory of no entries


class Entry(NamedTuple):
    """One field of a directory; `at` is where its value, or the value's offset, lies."""

    tag: int
    kind: int
    amount: int
    at: int


class Block(NamedTuple):
    data: bytes | memoryview
    order: Literal["big", "little"]

    def number(self, at: int, size: int) -> int:
        return number(self.data, at, size, self.order)

    def directory(self, at: int) -> tuple[list[Entry], int]:
        """Return the entries of the directory at `at`, and where the next one lies (0: none)."""
        count = self.number(at, 2)
        room = (len(self.data) - at - 2) // ENTRY_BYTES
        end = at + 2 + ENTRY_BYTES * min(count, room)
        entries = [
            Entry(
                self.number(field, 2),
                self.number(field + 2, 2),
                self.number(field + 4, 4),
                field + 8,
            )
            for field in range(at + 2, end, ENTRY_BYTES)
        ]
        has_next = count <= room and end + 4 <= len(self.data)
        return entries, self.number(end, 4) if has_next else 0

    def text(self, entries: list[Entry], tag: int, length: int) -> str:
        for entry in entries:
            if entry.tag == tag and entry.amount == length + 1:
                at = self.number(entry.at, 4)
                return bytes(self.data[at : at + length]).decode("ascii", "replace")
        return ""


def orientation_only(orientation: int) -> bytes:
    """Return a block that holds the orientation and nothing else: 26 bytes."""
    entry = ORIENTATION.to_bytes(2) + SHORT.to_bytes(2) + (1).to_bytes(4)
    value = orientation.to_bytes(2) + bytes(2)
    return b"MM\0*\0\0\0\x08\0\x01" + entry + value + bytes(4)


def note(block: bytes | memoryview, found: Findings) -> int:
    """Note the time and what kinds of details a block holds; return its orientation.

    A block that cannot be read does not matter to the picture: it counts as camera details, and is
    left out.
    """
    opened = Block(block, "little" if block[:2] == b"II" else "big")
    try:
        if bytes(block[:2]) not in (b"II", b"MM") or opened.number(2, 2) != 42:
            raise Malformed("not TIFF")
        entries, following = opened.directory(opened.number(4, 4))
    except Malformed:
        found.removed.add(Removed.CAMERA)
        return 1
    tags = {entry.tag for entry in entries}
    if GPS_DIRECTORY in tags:
        found.removed.add(Removed.LOCATION)
    if tags - {ORIENTATION, GPS_DIRECTORY}:
        found.removed.add(Removed.CAMERA)
    if following:
        found.removed.add(Removed.THUMBNAIL)
    details: list[Entry] = []
    if place := next((entry.at for entry in entries if entry.tag == EXIF_DIRECTORY), None):
        with suppress(Malformed):  # if it lies nowhere, there are none
            details, _ = opened.directory(opened.number(place, 4))
    found.captured_at = found.captured_at or _taken(opened, details)
    return _orientation(opened, [*entries, *details])


def _orientation(block: Block, entries: list[Entry]) -> int:
    """Return 1 to 8: the first that is one SHORT and one of them, in either directory."""
    for entry in entries:
        if (entry.tag, entry.kind, entry.amount) == (ORIENTATION, SHORT, 1):
            orientation = block.number(entry.at, 2)
            if 1 <= orientation <= 8:
                return orientation
    return 1


def _taken(block: Block, details: list[Entry]) -> str | None:
    """Return when the picture was taken, ISO 8601; with an offset if the camera knew it."""
    try:
        time = block.text(details, TAKEN, 19)
        offset = block.text(details, TAKEN_OFFSET, 6)
        taken = datetime.strptime(time, "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
    except (Malformed, ValueError):
        return None
    return taken + offset if re.fullmatch(r"[+-]\d\d:[0-5]\d", offset, re.ASCII) else taken
