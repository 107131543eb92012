"""PNG and APNG files (W3C PNG, third edition), chunk by chunk."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers import exif
from gallery.containers.common import Findings, Malformed, Removed, bounded, note_xmp, number

MAGIC = b"\x89PNG\r\n\x1a\n"
# What stays, and how long it may be: a chunk longer than its fields is a place to hide things in.
CRITICAL = {b"IHDR": 13, b"PLTE": 768, b"IDAT": 2**31, b"IEND": 0}
COLOUR = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"sBIT": 4}
DISPLAY = {b"tRNS": 256, b"bKGD": 6, b"pHYs": 9}
ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": 2**31}
KEPT = CRITICAL | COLOUR | DISPLAY | ANIMATION
REPEATED = {b"IDAT", b"fcTL", b"fdAT"}
REMOVED = {
    b"tEXt": Removed.COMMENTS,
    b"zTXt": Removed.COMMENTS,
    b"iTXt": Removed.COMMENTS,
    b"tIME": Removed.TIME,
}
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
# Profiles of screens and printers reach 3 MB. Deflate packs a thousandfold, hence a limit.
MAX_PROFILE_BYTES = 8_000_000


class Chunk(NamedTuple):
    kind: bytes
    body: memoryview
    whole: memoryview
    stop: int


def walk(data: bytes) -> Findings:
    found, view = Findings(), memoryview(data)
    seen: dict[bytes, int] = {}
    found.parts.append(view[: len(MAGIC)])
    end = len(data)
    for chunk in bounded(_chunks(view)):
        found.parts.append(_kept(chunk, seen, found))
        seen[chunk.kind] = seen.get(chunk.kind, 0) + 1
        end = chunk.stop
    _check_complete(seen, found)
    if end < len(data):
        found.removed.add(Removed.TRAILING_BYTES)
    if found.orientation != 1:  # right after the header, the first place a chunk may have
        found.parts.insert(2, _chunk(b"eXIf", exif.orientation_only(found.orientation)))
    return found


def _chunks(view: memoryview) -> Iterator[Chunk]:
    at, kind = len(MAGIC), b""
    while kind != b"IEND":
        stop = at + 12 + number(view, at, 4)
        if stop > len(view):
            raise Malformed("a chunk beyond the end")
        kind = bytes(view[at + 4 : at + 8])
        yield Chunk(kind, view[at + 8 : stop - 4], view[at:stop], stop)
        at = stop


def _kept(chunk: Chunk, seen: dict[bytes, int], found: Findings) -> bytes | memoryview:
    """Return what stays of a chunk, which may be nothing."""
    _check_order(chunk.kind, seen)
    if chunk.kind in seen and chunk.kind not in REPEATED:
        found.removed.add(Removed.OTHER)
    elif chunk.kind == b"iCCP":
        return _profile(bytes(chunk.body))
    elif chunk.kind in KEPT and (chunk.kind not in ANIMATION or b"acTL" in {*seen, chunk.kind}):
        _check_chunk(chunk)
        _note_kept(chunk, found)
        return chunk.whole
    else:
        _note_removed(chunk, found)
    return b""


def _check_order(kind: bytes, seen: dict[bytes, int]) -> None:
    """What decides about size and frames comes once, and before the pixels."""
    if (kind == b"IHDR") == bool(seen):
        raise Malformed("no header first, or another one later")
    if kind in (b"acTL", b"PLTE") and {kind, b"IDAT"} & seen.keys():
        raise Malformed("too late, or twice")
    if not kind[0] & 0x20 and kind not in CRITICAL:
        raise Malformed("a critical chunk nobody knows")


def _check_chunk(chunk: Chunk) -> None:
    if len(chunk.body) > KEPT[chunk.kind]:
        raise Malformed("longer than its fields")
    if zlib.crc32(chunk.whole[4:-4]) != number(chunk.whole, len(chunk.whole) - 4, 4):
        raise Malformed("checksum")


def _note_kept(chunk: Chunk, found: Findings) -> None:
    if chunk.kind == b"IHDR":
        found.see_size(number(chunk.body, 0, 4), number(chunk.body, 4, 4))
    elif chunk.kind == b"acTL":
        found.frames = number(chunk.body, 0, 4)
    elif chunk.kind == b"fcTL":
        width, height, left, top = (number(chunk.body, at, 4) for at in (4, 8, 12, 16))
        if left + width > found.width or top + height > found.height:
            raise Malformed("a frame beyond the canvas")


def _note_removed(chunk: Chunk, found: Findings) -> None:
    if chunk.kind == b"eXIf":
        exif.note(chunk.body, found)
    elif chunk.body[: len(XMP_KEYWORD)] == XMP_KEYWORD:
        note_xmp(chunk.body, found)
    else:
        found.removed.add(REMOVED.get(chunk.kind, Removed.OTHER))


def _check_complete(seen: dict[bytes, int], found: Findings) -> None:
    if b"IDAT" not in seen:
        raise Malformed("no pixels")
    if b"acTL" in seen and found.frames != seen.get(b"fcTL"):
        raise Malformed("other frames than stated")


def _profile(body: bytes) -> bytes:
    """Return the colour profile under a name of ours: its own is free text.

    One that does not inflate is left out, as viewers pass it over.
    """
    _name, _, packed = body.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    if not inflater.eof:
        return b""
    return _chunk(b"iCCP", b"icc\0\0" + packed[1 : len(packed) - len(inflater.unused_data)])


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + checksum.to_bytes(4, "big")
