"""GIF files (CompuServe, GIF89a), block by block."""

from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers.common import (
    Findings,
    Incomplete,
    Malformed,
    Removed,
    bounded,
    number,
)

MAGIC = (b"GIF87a", b"GIF89a")
PADDING, EXTENSION, IMAGE, TRAILER = 0x00, 0x21, 0x2C, 0x3B
PLAIN_TEXT, CONTROL, COMMENT, APPLICATION = 0x01, 0xF9, 0xFE, 0xFF
LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
LOOP_SUB_BLOCK = b"\x03\x01"  # three bytes: 1, and how often
LOOP_BYTES = 18  # introducer, label, name and that sub-block; others after it are nobody's
SCREEN_BYTES = 13


class Block(NamedTuple):
    kind: int
    start: int
    stop: int


def walk(data: bytes) -> Findings:
    found, view = Findings(frames=0), memoryview(data)
    if len(data) < SCREEN_BYTES:
        raise Incomplete("no screen")
    tables = SCREEN_BYTES + _colour_table_bytes(number(data, 10, 1))
    kind, end = None, tables
    for block in bounded(_blocks(data, tables)):
        found.parts.append(_kept(view, block, found))
        kind, end = block.kind, block.stop
    if not found.frames:
        raise Malformed("no picture") if kind == TRAILER else Incomplete("no picture")
    if kind != TRAILER:  # nobody knows how many frames there were; each that came is whole
        found.ended = False
        found.removed.add(Removed.FAULTS)
        found.parts.append(bytes([TRAILER]))
    if end < len(data):
        found.removed.add(Removed.TRAILING_BYTES)
    found.parts[:0] = [_screen(data, found), view[SCREEN_BYTES:tables]]
    return found


def _screen(data: bytes, found: Findings) -> bytes:
    """Return the head; where it states no size, with the one that holds every frame."""
    size = [number(data, at, 2, "little") for at in (6, 8)]
    if not all(size):
        found.removed.add(Removed.FAULTS)
        size = [found.width, found.height]
    found.see_size(*size)
    stated = b"".join(side.to_bytes(2, "little") for side in size)
    return data[:6] + stated + data[10:SCREEN_BYTES]


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> Iterator[Block]:
    """Yield the blocks up to the trailer, or to the end of a file that has none."""
    kind = None
    while kind != TRAILER and at < len(data):
        kind = number(data, at, 1)
        if kind in (PADDING, TRAILER):
            stop = at + 1
        elif kind == EXTENSION:
            stop = _end_of_sub_blocks(data, at + 2)
        elif kind == IMAGE:
            if at + 10 > len(data):
                raise Incomplete("a block beyond the end")
            table = _colour_table_bytes(number(data, at + 9, 1))
            stop = _end_of_sub_blocks(data, at + 11 + table)
        else:
            raise Malformed("no block")
        yield Block(kind, at, stop)
        at = stop


def _end_of_sub_blocks(data: bytes, at: int) -> int:
    try:
        while length := data[at]:
            at += 1 + length
    except IndexError:
        raise Incomplete("a block beyond the end") from None
    return at + 1


def _kept(view: memoryview, block: Block, found: Findings) -> bytes | memoryview:
    """Return what stays of a block, which may be nothing."""
    whole = view[block.start : block.stop]
    if block.kind == IMAGE:
        left, top, width, height = (number(whole, at, 2, "little") for at in (1, 3, 5, 7))
        found.see_size(left + width, top + height)  # decoders grow the screen to hold it
        found.frames += 1
    if block.kind != EXTENSION:
        return b"" if block.kind == PADDING else whole
    label, name = whole[1], bytes(whole[3:14])
    if label == CONTROL:
        if whole[2] != 4:
            raise Malformed("a control block of another size")
        # Delay, disposal and transparency; further sub-blocks are nobody's.
        return bytes(whole[:7]) + b"\0"
    if label == APPLICATION and name in LOOPING and bytes(whole[14:16]) == LOOP_SUB_BLOCK:
        return bytes(whole[:LOOP_BYTES]) + b"\0"
    removed = Removed.XMP if name == b"XMP DataXMP" else Removed.OTHER
    found.removed.add(Removed.COMMENTS if label in (COMMENT, PLAIN_TEXT) else removed)
    return b""
