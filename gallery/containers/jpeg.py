"""JPEG files (ITU-T T.81; JFIF 1.02; ICC.1 annex B.4), segment by segment.

What follows the first picture is cut off, the further pictures of a phone's MPO file too. Where its
coded data ends inside the last scan only a decoder can find out: jpeg_end.py.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers import exif, icc
from gallery.containers.common import (
    Findings,
    Incomplete,
    Malformed,
    NotTaken,
    Removed,
    bounded,
    note_xmp,
    number,
)

MAGIC = b"\xff\xd8\xff"
END, SCAN, COMMENT, LINES = 0xD9, 0xDA, 0xFE, 0xDC
APP0, APP1, APP2, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF
FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # baseline to progressive, Huffman or arithmetic
PROGRESSIVE = {0xC2, 0xCA}
TABLES = {0xC4, 0xCC, 0xDB, 0xDD}
KNOWN = {*FRAME_HEADERS, *TABLES, SCAN, LINES, COMMENT, *range(APP0, APP15 + 1)}
END_MARK = b"\xff\xd9"

# Restarts (D0 to D7) and stuffed zeros belong to a scan; of fill bytes the last one counts. Bytes
# between segments that are no marker are passed over, as decoders do.
MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")

JFIF_BYTES = 12  # name, version, units, densities; then a small picture, which does not stay
ADOBE_BYTES = 12
EXIF_NAME, ICC_NAME = b"Exif\0", b"ICC_PROFILE\0"
MAX_ICC_BYTES = 65_535 - 2 - len(ICC_NAME) - 2  # of one segment
ALL = 2**64 - 1  # a bit for each of a component's 64 coefficients


class Segment(NamedTuple):
    """A marker and what belongs to it; of a scan its data too."""

    marker: int
    start: int
    body: int
    stop: int


def walk(data: bytes) -> Findings:
    found = Findings(scans=0)
    walk_ = Walk(data, found)
    for segment in bounded(walk_.segments()):
        walk_.take(segment)
    walk_.finish()
    return found


class Walk:
    """One pass over a file's segments, and what stays of them."""

    def __init__(self, data: bytes, found: Findings) -> None:
        self.data, self.view, self.found = data, memoryview(data), found
        self.stop = len(MAGIC) - 1  # of the segment before
        self.jfif: list[bytes] = []
        self.rest: list[bytes | memoryview] = []
        self.tables: list[memoryview] = []  # since the last scan: of no use behind the last
        self.profile: dict[int, memoryview] = {}
        self.profile_parts = 0
        self.turned = False
        self.frame_at = -1  # among the rest
        self.missing: dict[int, int] = {}  # by component, a bit for each coefficient

    def segments(self) -> Iterator[Segment]:
        """Yield the segments up to the end, or to where none follows that can be one.

        Raises Incomplete or NotTaken if that is before any picture.
        """
        while True:
            try:
                segment = _segment(self.data, self.stop)
            except Malformed:
                if not self.found.scans:
                    raise
                self.found.ended = False
                return
            if self.data[self.stop : segment.start].strip(b"\xff"):
                self.found.removed.add(Removed.OTHER)
            self.stop = segment.stop
            if segment.marker == END:
                return
            yield segment

    def take(self, segment: Segment) -> None:
        marker, body = segment.marker, self.view[segment.body : segment.stop]
        whole = self.view[segment.start : segment.stop]
        if marker in FRAME_HEADERS:
            self._take_frame(marker, whole, body)
        elif marker == SCAN:
            self._take_scan(whole, body)
        elif marker in TABLES:
            self.tables.append(whole)
        elif marker == LINES:
            self._take_lines(body)
        else:
            self._take_application(marker, body)

    # ---- the picture -------------------------------------------------------------------------

    def _take_frame(self, marker: int, whole: memoryview, body: memoryview) -> None:
        """Decoders follow the last of several frame headers, viewers the first: there is one."""
        if self.frame_at >= 0:
            raise Malformed("two frames")
        self.frame_at = len(self.rest) + len(self.tables)
        self.rest += [*self.tables, whole]
        self.tables = []
        for at in range(6, 6 + 3 * number(body, 5, 1), 3):
            self.missing[number(body, at, 1)] = ALL
        self.progressive = marker in PROGRESSIVE

    def _take_scan(self, whole: memoryview, body: memoryview) -> None:
        if self.frame_at < 0:
            raise Malformed("a scan before its frame")
        self.found.scans += 1
        self.rest += [*self.tables, whole]
        self.tables = []
        self.header_bytes = 2 + number(whole, 2, 2)
        count = number(body, 0, 1)
        first, last, bits = (number(body, 1 + 2 * count + at, 1) for at in range(3))
        told = ALL
        if self.progressive:  # only a coefficient without lower bits to follow is complete
            told = 0 if bits & 15 else ALL >> 63 - min(last, 63) & -1 << first
        for at in range(1, 1 + 2 * count, 2):
            component = number(body, at, 1)
            self.missing[component] = self.missing.get(component, 0) & ~told

    def _take_lines(self, body: memoryview) -> None:
        """The height behind the first scan (T.81 §B.2.5). No decoder waits for it: it goes where
        decoders look."""
        if self.frame_at < 0:
            raise Malformed("lines before their frame")
        frame = self.rest[self.frame_at]
        if not number(frame, 5, 2):
            self.rest[self.frame_at] = b"".join([frame[:5], body[:2], frame[7:]])
        self.found.removed.add(Removed.FAULTS)

    # ---- what is said beside it --------------------------------------------------------------

    def _take_application(self, marker: int, body: memoryview) -> None:
        name = bytes(body[:12])
        if marker == APP0 and name.startswith(b"JFIF\0") and len(body) >= JFIF_BYTES:
            if len(body) > JFIF_BYTES + 2:
                self.found.removed.add(Removed.THUMBNAIL)
            self.jfif.append(_written(APP0, bytes(body[:JFIF_BYTES]) + b"\0\0"))
        elif marker == APP14 and name.startswith(b"Adobe") and len(body) >= ADOBE_BYTES:
            # Without it colours are wrong.
            self.rest.append(_written(APP14, bytes(body[:ADOBE_BYTES])))
        elif marker == APP2 and name == ICC_NAME and not self.found.scans:
            part, count = number(body, 12, 1), number(body, 13, 1)
            self.profile_parts = self.profile_parts or count
            self.profile.setdefault(part, body[14:])
        elif marker == APP1 and name.startswith(EXIF_NAME) and len(body) > len(exif.PREFIX):
            # Of several the first counts, readable or not, if it comes before the picture.
            orientation = exif.note(body[len(exif.PREFIX) :], self.found)
            if not self.turned and not self.found.scans:
                self.turned, self.found.orientation = True, orientation
        else:
            _note_removed(marker, body, self.found)

    def _profile_segments(self) -> list[bytes]:
        if not self.profile:
            return []
        parts = [self.profile.get(part, b"") for part in range(1, self.profile_parts + 1)]
        kept = icc.taken(b"".join(parts) if all(map(len, parts)) else b"", self.found) or b""
        pieces = [kept[at : at + MAX_ICC_BYTES] for at in range(0, len(kept), MAX_ICC_BYTES)]
        return [
            _written(APP2, ICC_NAME + bytes([part, len(pieces)]) + piece)
            for part, piece in enumerate(pieces, start=1)
        ]

    # ---- the end -----------------------------------------------------------------------------

    def finish(self) -> None:
        """Raises Incomplete if a file without an end cannot be complete."""
        found = self.found
        if not found.scans:
            raise Malformed("no picture")
        if not found.ended:
            if any(self.missing.values()):
                raise Incomplete("not all scans")
            found.removed.add(Removed.FAULTS)
        frame = self.rest[self.frame_at]
        found.see_size(number(frame, 7, 2), number(frame, 5, 2))
        trailing = bytes(self.view[self.stop :])
        if trailing.startswith(MAGIC):
            found.removed.add(Removed.OTHER_PICTURES)
        elif trailing[4:8] == b"ftyp":
            found.removed.add(Removed.VIDEO)
        elif trailing.strip(b"\xff") or self.tables:
            found.removed.add(Removed.TRAILING_BYTES)
        turn = b""
        if found.orientation != 1:
            turn = _written(APP1, exif.PREFIX + exif.orientation_only(found.orientation))
        # JFIF comes first, Exif after it: decoders find either order, and this one is the rule.
        before = [
            self.view[:2],
            *self.jfif[:1],
            turn,
            *self._profile_segments(),
            *self.rest,
        ]
        found.parts = [*before, END_MARK]
        length = sum(map(len, before))
        found.last_scan = (length - len(self.rest[-1]) + self.header_bytes, length)


def _segment(data: bytes, at: int) -> Segment:
    """Return the next segment from `at` on. Raises Malformed if there is none, or not all of it."""
    found = MARKER.search(data, at)
    if found is None:
        raise Incomplete("no end")
    marker, start = found[1][0], found.start()
    if marker == END:
        return Segment(marker, start, start + 2, start + 2)
    if marker not in KNOWN:
        raise NotTaken("a segment of another kind of JPEG")
    if start + 4 > len(data):
        raise Incomplete("a segment beyond the end")
    length = number(data, start + 2, 2)
    stop = start + 2 + length
    if stop > len(data):
        raise Incomplete("a segment beyond the end")
    if length < 2:
        raise Malformed("a segment shorter than its length")
    if marker == SCAN:
        match = MARKER.search(data, stop)  # an end mark may be there by half
        stop = match.start() if match else max(stop, len(data) - data.endswith(b"\xff"))
    return Segment(marker, start, start + 4, stop)


def _written(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (2 + len(body)).to_bytes(2) + body


def _note_removed(marker: int, body: memoryview, found: Findings) -> None:
    name = bytes(body[:64])
    if marker == APP1 and name.startswith(EXIF_NAME):
        found.removed.add(Removed.CAMERA)
    elif marker == APP1 and name.startswith(b"http://ns.adobe.com/"):
        note_xmp(body, found)
    elif marker == APP0:
        found.removed.add(Removed.THUMBNAIL)
    elif marker == APP11 and name.startswith(b"JP") and b"jumb" in name:
        found.removed.add(Removed.CREDENTIALS)
    else:
        known = {COMMENT: Removed.COMMENTS, APP13: Removed.IPTC}
        found.removed.add(known.get(marker, Removed.OTHER))
