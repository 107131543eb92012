"""WebP files (RFC 9649), chunk by chunk.

Exif turns nothing here: no browser follows it in a WebP, so a preview that did would show another
picture than the one that is sent.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers import exif, icc
from gallery.containers.common import (
    Findings,
    Incomplete,
    Malformed,
    Removed,
    bounded,
    note_xmp,
    number,
)

RIFF, MAGIC = b"RIFF", b"WEBP"
EXTENDED, PROFILE, EXIF, XMP = b"VP8X", b"ICCP", b"EXIF", b"XMP "
CREDENTIALS = b"C2PA"
LOSSY, LOSSLESS, ALPHA = b"VP8 ", b"VP8L", b"ALPH"
ANIMATION, FRAME = b"ANIM", b"ANMF"

HAS_ANIMATION, HAS_ALPHA, HAS_PROFILE = 0x02, 0x10, 0x20
EXTENDED_BYTES, ANIMATION_BYTES, FRAME_BYTES = 10, 6, 16  # their fields; nothing after them stays
CHUNK_HEAD_BYTES = 8
MAX_CHUNKS_IN_FRAME = 8  # there are two at most that we know


class Chunk(NamedTuple):
    kind: bytes
    body: memoryview


def walk(data: bytes) -> Findings:
    found, view = Findings(), memoryview(data)
    chunks, end = _top_chunks(view, found)
    if end < len(data):
        found.removed.add(Removed.TRAILING_BYTES)
    if chunks and chunks[0].kind == EXTENDED:
        kept = _extended(chunks, found)
    else:  # such a file is one chunk; nobody reads anything else in it
        picture, *others = chunks or [Chunk(b"", memoryview(b""))]
        found.see_size(*_coded_size(picture))
        for chunk in others:
            _note_removed(chunk, found)
        kept = [picture]
    body = [part for chunk in kept for part in _written(*chunk)]
    length = len(MAGIC) + sum(map(len, body))
    found.parts = [RIFF, length.to_bytes(4, "little"), MAGIC, *body]
    return found


def _top_chunks(view: memoryview, found: Findings) -> tuple[list[Chunk], int]:
    """Return the file's chunks, and where they end, whatever the head says of that.

    Some writers count their own head, or a byte that is not there. Raises Incomplete where a whole
    head of a chunk may be missing: a picture may be, too.
    """
    end = 8 + number(view, 4, 4, "little")
    if end > len(view) + CHUNK_HEAD_BYTES:
        raise Incomplete("cut short")
    placed = list(bounded(_chunks(view, 12, min(end, len(view)))))
    stop = placed[-1][1] if placed else end
    if stop > end or end > len(view):
        found.removed.add(Removed.FAULTS)
    return [chunk for chunk, _ in placed], max(stop, end)


def _chunks(view: memoryview, at: int, end: int) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks that begin before `end`, and where each ends, padding included."""
    while at < end:
        if at + CHUNK_HEAD_BYTES > len(view):
            raise Incomplete("a chunk beyond the end")
        stop = at + CHUNK_HEAD_BYTES + number(view, at + 4, 4, "little")
        if stop > len(view):
            raise Incomplete("a chunk beyond the end")
        chunk = Chunk(bytes(view[at : at + 4]), view[at + CHUNK_HEAD_BYTES : stop])
        at = stop + len(chunk.body) % 2
        yield chunk, min(at, len(view))


def _written(kind: bytes, body: bytes | memoryview) -> list[bytes | memoryview]:
    return [kind + len(body).to_bytes(4, "little"), body, bytes(len(body) % 2)]


def _extended(chunks: list[Chunk], found: Findings) -> list[Chunk]:
    header = chunks[0].body
    if len(header) < EXTENDED_BYTES:
        raise Malformed("a header too short")
    found.see_size(number(header, 4, 3, "little") + 1, number(header, 7, 3, "little") + 1)
    animated = bool(header[0] & HAS_ANIMATION)
    wanted = {PROFILE, ANIMATION, FRAME} if animated else {PROFILE, ALPHA, LOSSY, LOSSLESS}
    kept = _first_of_each(chunks[1:], wanted, found)
    pictures = [chunk for chunk in kept if chunk.kind in (LOSSY, LOSSLESS, FRAME)]
    if not pictures or (len(pictures) > 1 and not animated):
        raise Malformed("no picture, or several")
    found.frames = len(pictures)
    checked = [_checked(chunk, found) for chunk in kept]
    staying = [chunk for chunk in checked if chunk.body]
    # The header's flags are made true again.
    flags = header[0] & (HAS_ANIMATION | HAS_ALPHA)
    if any(chunk.kind == PROFILE for chunk in staying):
        flags |= HAS_PROFILE
    fields = bytes([flags, 0, 0, 0]) + bytes(header[4:EXTENDED_BYTES])
    return [Chunk(EXTENDED, memoryview(fields)), *staying]


def _first_of_each(chunks: list[Chunk], wanted: set[bytes], found: Findings) -> list[Chunk]:
    kept: dict[object, Chunk] = {}
    for position, chunk in enumerate(chunks):
        key = (chunk.kind, position) if chunk.kind == FRAME else chunk.kind
        if chunk.kind in wanted and key not in kept:
            kept[key] = chunk
        else:
            _note_removed(chunk, found)
    return list(kept.values())


def _checked(chunk: Chunk, found: Findings) -> Chunk:
    """Return a chunk without what does not belong in it. Raises Malformed for another size."""
    if chunk.kind == FRAME:
        return _frame(chunk.body, found)
    if chunk.kind in (LOSSY, LOSSLESS) and _coded_size(chunk) != (found.width, found.height):
        raise Malformed("the picture is not the size of its canvas")
    if chunk.kind == ANIMATION:
        return Chunk(ANIMATION, chunk.body[:ANIMATION_BYTES])
    if chunk.kind == PROFILE:
        return Chunk(PROFILE, memoryview(icc.taken(bytes(chunk.body), found) or b""))
    return chunk


def _frame(body: memoryview, found: Findings) -> Chunk:
    left, top, width, height = (number(body, at, 3, "little") for at in (0, 3, 6, 9))
    size = (width + 1, height + 1)
    if 2 * left + size[0] > found.width or 2 * top + size[1] > found.height:
        raise Malformed("a frame beyond the canvas")
    kept = [
        chunk
        for chunk, _ in bounded(_chunks(body, FRAME_BYTES, len(body)), MAX_CHUNKS_IN_FRAME)
        if chunk.kind in (ALPHA, LOSSY, LOSSLESS)
    ]
    if [_coded_size(chunk) for chunk in kept if chunk.kind != ALPHA] != [size]:
        raise Malformed("a frame of another size than its picture")
    inner = [part for chunk in kept for part in _written(*chunk)]
    return Chunk(FRAME, memoryview(b"".join([body[:FRAME_BYTES], *inner])))


def _coded_size(picture: Chunk) -> tuple[int, int]:
    """Return width and height from the picture's own header (RFC 6386 §9.1; RFC 9649 §3.4)."""
    body = picture.body
    if picture.kind == LOSSY and bytes(body[3:6]) == b"\x9d\x01\x2a":
        return number(body, 6, 2, "little") & 0x3FFF, number(body, 8, 2, "little") & 0x3FFF
    if picture.kind == LOSSLESS and bytes(body[:1]) == b"\x2f":
        bits = number(body, 1, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise Malformed("no picture")


def _note_removed(chunk: Chunk, found: Findings) -> None:
    if chunk.kind == EXIF:
        prefixed = chunk.body[: len(exif.PREFIX)] == exif.PREFIX
        exif.note(chunk.body[len(exif.PREFIX) if prefixed else 0 :], found)
    elif chunk.kind == XMP:
        note_xmp(chunk.body, found)
    elif chunk.kind == CREDENTIALS:
        found.removed.add(Removed.CREDENTIALS)
    else:
        found.removed.add(Removed.OTHER)
