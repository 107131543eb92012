"""JPEG files (ITU-T T.81; JFIF 1.02; ICC.1 annex B.4), segment by segment.

What follows the first picture is cut off, the further pictures of a phone's MPO file too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers import exif
from gallery.containers.common import Findings, Malformed, Removed, bounded, note_xmp, number

MAGIC = b"\xff\xd8\xff"
END, SCAN, COMMENT = 0xD9, 0xDA, 0xFE
APP0, APP1, APP2, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # baseline to progressive, Huffman or arithmetic
TABLES = {0xC4, 0xCC, 0xDB, 0xDD}

# Restarts (D0 to D7) and stuffed zeros belong to a scan; of fill bytes the last one counts. Bytes
# between segments that are no marker are passed over, as decoders do.
MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")

JFIF_BYTES = 12  # name, version, units, densities; then a small picture, which does not stay
ADOBE_BYTES = 12


class Segment(NamedTuple):
    """A marker and what belongs to it; of a scan its data too."""

    marker: int
    start: int
    body: int
    stop: int


def walk(data: bytes) -> Findings:
    found, view = Findings(scans=0), memoryview(data)
    jfif: list[bytes | memoryview] = []
    rest: list[bytes | memoryview] = []
    end = len(data)
    for segment in bounded(_segments(data)):
        end = segment.stop
        (jfif if segment.marker == APP0 else rest).append(_kept(view, segment, found))
    _note_trailing(view[end:], found)
    # JFIF comes first, Exif after it: decoders find either order, and this one is the rule.
    first_jfif = next(filter(len, jfif), b"")
    found.parts = [view[:2], first_jfif, _exif_segment(found.orientation), *rest]
    return found


def _segments(data: bytes) -> Iterator[Segment]:
    stop = len(MAGIC) - 1
    while True:
        segment = _segment(data, stop)
        yield segment
        if segment.marker == END:
            return
        stop = segment.stop


def _segment(data: bytes, at: int) -> Segment:
    """Return the next segment from `at` on. Raises Malformed if there is none, or not all of it."""
    marker, start = _next_marker(data, at)
    if marker == END:
        return Segment(marker, start, start + 2, start + 2)
    length = number(data, start + 2, 2)
    stop = start + 2 + length
    if length < 2 or stop > len(data):
        raise Malformed("a segment beyond the end")
    if marker == SCAN:
        _, stop = _next_marker(data, stop)
    return Segment(marker, start, start + 4, stop)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    match = MARKER.search(data, at)
    if match is None:
        raise Malformed("no end")
    return match[1][0], match.start()


def _kept(view: memoryview, segment: Segment, found: Findings) -> bytes | memoryview:
    """Return what stays of a segment, which may be nothing."""
    whole, body = view[segment.start : segment.stop], view[segment.body : segment.stop]
    if segment.marker in FRAME_HEADERS:
        _note_frame(body, found)
    elif segment.marker == SCAN:
        found.scans += 1
    elif segment.marker == COMMENT or APP0 <= segment.marker <= APP15:
        return _kept_application(segment.marker, whole, body, found)
    elif segment.marker not in {*TABLES, END}:
        raise Malformed("a segment of another kind of JPEG")
    return whole


def _note_frame(body: memoryview, found: Findings) -> None:
    """Decoders follow the last of several frame headers, viewers the first: there is but one."""
    if found.width:
        raise Malformed("two frames")
    found.see_size(number(body, 3, 2), number(body, 1, 2))


def _kept_application(
    marker: int, whole: memoryview, body: memoryview, found: Findings
) -> bytes | memoryview:
    name = bytes(body[:12])
    if marker == APP0 and name.startswith(b"JFIF\0") and len(body) >= JFIF_BYTES:
        if len(body) > JFIF_BYTES + 2:
            found.removed.add(Removed.THUMBNAIL)
        return b"\xff\xe0\x00\x10" + bytes(body[:JFIF_BYTES]) + b"\0\0"
    if marker == APP2 and name == b"ICC_PROFILE\0":
        return whole
    if marker == APP14 and name.startswith(b"Adobe") and len(body) >= ADOBE_BYTES:
        return b"\xff\xee\x00\x0e" + bytes(body[:ADOBE_BYTES])  # without it colours are wrong
    _note_removed(marker, body, found)
    return b""


def _note_removed(marker: int, body: memoryview, found: Findings) -> None:
    name = bytes(body[:29])
    if marker == APP1 and name.startswith(b"Exif\0"):
        exif.note(body, found)
    elif marker == APP1 and name.startswith(b"http://ns.adobe.com/"):
        note_xmp(body, found)
    elif marker == APP0:
        found.removed.add(Removed.THUMBNAIL)
    else:
        known = {COMMENT: Removed.COMMENTS, APP13: Removed.IPTC}
        found.removed.add(known.get(marker, Removed.OTHER))


def _exif_segment(orientation: int) -> bytes:
    if orientation == 1:
        return b""
    body = exif.PREFIX + exif.orientation_only(orientation)
    return b"\xff\xe1" + (2 + len(body)).to_bytes(2, "big") + body


def _note_trailing(trailing: memoryview, found: Findings) -> None:
    if trailing[: len(MAGIC)] == MAGIC:
        found.removed.add(Removed.OTHER_PICTURES)
    elif trailing:
        found.removed.add(Removed.TRAILING_BYTES)
