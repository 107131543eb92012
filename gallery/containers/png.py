"""PNG and APNG files (W3C PNG, third edition), chunk by chunk."""

import zlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers import colours, exif, icc
from gallery.containers.common import (
    Colour,
    Findings,
    Incomplete,
    Malformed,
    NotTaken,
    Removed,
    bounded,
    note_xmp,
    number,
)

MAGIC = b"\x89PNG\r\n\x1a\n"
# What stays, and how long it may be: a chunk longer than its fields is a place to hide things in.
CRITICAL = {b"IHDR": 13, b"PLTE": 768, b"IDAT": 2**31, b"IEND": 0}
COLOUR = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8}
DISPLAY = {b"tRNS": 256, b"bKGD": 6, b"pHYs": 9, b"sBIT": 4}
ANIMATION = {b"acTL": 8, b"fcTL": 26, b"fdAT": 2**31}
KEPT = CRITICAL | COLOUR | DISPLAY | ANIMATION
EXACT = COLOUR.keys() | {b"pHYs", b"acTL", b"fcTL"}  # of that very length
# By kind of colour (IHDR), in bytes (§11.3.1.1, §11.3.2.5, §11.3.4.1).
BY_KIND: dict[bytes, dict[int, int]] = {
    b"tRNS": {0: 2, 2: 6},
    b"bKGD": {0: 2, 4: 2, 2: 6, 6: 6, 3: 1},
    b"sBIT": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4},
}
PALETTE, GREY = 3, {0, 4}
REPEATED = {b"IDAT", b"fcTL", b"fdAT"}
REMOVED = {
    b"tEXt": Removed.COMMENTS,
    b"zTXt": Removed.COMMENTS,
    b"iTXt": Removed.COMMENTS,
    b"tIME": Removed.TIME,
    b"caBX": Removed.CREDENTIALS,
}
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
PROFILE_NAME = b"icc\0\0"
END = b"\0\0\0\0IEND\xae\x42\x60\x82"


class Chunk(NamedTuple):
    kind: bytes
    body: memoryview
    whole: memoryview
    stop: int


class Walk:
    """One pass over a file's chunks: what came, and what it says of its colours."""

    def __init__(self, found: Findings) -> None:
        self.found = found
        self.seen: Counter[bytes] = Counter()
        self.kind_of_colour = self.palette = 0
        self.said: dict[bytes, bytes] = {}  # bodies of the chunks about colours
        self.frames = self.controls = 0  # announced, and begun

    def kept(self, chunk: Chunk) -> bytes | memoryview:
        """Return what stays of a chunk, which may be nothing."""
        self._check_order(chunk.kind)
        self.seen[chunk.kind] += 1
        if chunk.kind in CRITICAL:
            return self._critical(chunk)
        if chunk.kind == b"iCCP" or chunk.kind in KEPT:
            return self._ancillary(chunk)
        self._note_removed(chunk)
        return b""

    def _check_order(self, kind: bytes) -> None:
        """What decides about size comes once, and first; the palette before the pixels."""
        if (kind == b"IHDR") == bool(self.seen):
            raise Malformed("no header first, or another one later")
        if kind == b"PLTE" and {kind, b"IDAT"} & self.seen.keys():
            raise Malformed("too late, or twice")
        if not kind[0] & 0x20 and kind not in CRITICAL:
            raise NotTaken("a critical chunk nobody knows")

    def _critical(self, chunk: Chunk) -> memoryview:
        if len(chunk.body) > KEPT[chunk.kind]:
            raise Malformed("longer than its fields")
        if not _is_sound(chunk):
            raise Malformed("checksum")
        if chunk.kind == b"IHDR":
            self.found.see_size(number(chunk.body, 0, 4), number(chunk.body, 4, 4))
            self.kind_of_colour = number(chunk.body, 9, 1)
        if chunk.kind == b"PLTE":
            self.palette = len(chunk.body) // 3
        return chunk.whole

    def _ancillary(self, chunk: Chunk) -> bytes | memoryview:
        """Return a chunk that counts; one that browsers pass over is left out, too."""
        if chunk.kind in ANIMATION:
            return self._animation(chunk)
        is_late = b"IDAT" in self.seen or (chunk.kind == b"cICP" and b"PLTE" in self.seen)
        if self.seen[chunk.kind] > 1 or is_late:
            self.found.removed.add(Removed.OTHER)
            return b""
        if not _is_sound(chunk) or not self._fits(chunk):
            self.found.removed.add(Removed.FAULTS)
            return b""
        if chunk.kind == b"iCCP":
            return self._profile(bytes(chunk.body))
        if chunk.kind in COLOUR:
            self.said[chunk.kind] = bytes(chunk.body)
        return chunk.whole

    def _fits(self, chunk: Chunk) -> bool:
        """Return whether a chunk is as long as its fields; the transparency, as its palette."""
        length = len(chunk.body)
        if chunk.kind in EXACT:
            return length == KEPT[chunk.kind]
        if chunk.kind == b"tRNS" and self.kind_of_colour == PALETTE:
            return 0 < length <= self.palette
        by_kind = BY_KIND.get(chunk.kind)
        return by_kind is None or length == by_kind.get(self.kind_of_colour)

    # ---- colours -----------------------------------------------------------------------------

    def _profile(self, body: bytes) -> bytes:
        """Return the colour profile under our own name: the file's is free text."""
        _name, _, packed = body.partition(b"\0")
        inflater = zlib.decompressobj()
        try:
            profile = inflater.decompress(packed[1:], icc.MAX_PROFILE_BYTES)
        except zlib.error:
            profile = b""
        kept = icc.taken(profile if inflater.eof else b"", self.found)
        if kept is None:
            return b""
        if inflater.eof and kept == profile and not inflater.unused_data:
            return _chunk(b"iCCP", PROFILE_NAME + packed[1:])
        return _chunk(b"iCCP", PROFILE_NAME + zlib.compress(kept, 9))

    def colour(self) -> Colour:
        """Return what counts of what was said (§4.3): cICP, iCCP, sRGB, then gAMA and cHRM."""
        primaries, transfer, matrix, full_range = self.said.get(b"cICP", bytes(4))
        if (matrix, full_range) == (0, 1) and colours.known(primaries, transfer):
            # How bright it gets (cLLI), or the screen it was made on (mDCV): 0.0001 cd/m².
            most = number(self.said.get(b"cLLI", bytes(8)), 0, 4)
            most = most or number(self.said.get(b"mDCV", bytes(24)), 16, 4)
            return Colour(cicp=(primaries, transfer), peak_nits=most / 10_000 or None)
        profile = self.found.colour.profile
        # It must be for what is stored, grey or in colours.
        if profile and icc.is_for_rgb(profile) != (self.kind_of_colour in GREY):
            return self.found.colour
        gamma = number(self.said.get(b"gAMA", bytes(4)), 0, 4)
        if b"sRGB" in self.said or not gamma:
            return Colour()
        said = self.said.get(b"cHRM")
        if said is None:
            return Colour(gamma=100_000 / gamma)
        chromaticities = [number(said, at, 4) for at in range(0, 32, 4)]
        _white_x, white_y, a, b, c, d, e, f = chromaticities
        if not white_y:  # browsers show black
            raise Malformed("a white without light")
        if (c - a) * (f - b) == (e - a) * (d - b):  # no triangle of red, green and blue
            return Colour()  # as in browsers
        parts = tuple(value / 100_000 for value in chromaticities)
        return Colour(gamma=100_000 / gamma, chromaticities=parts)

    # ---- animations --------------------------------------------------------------------------

    def _animation(self, chunk: Chunk) -> bytes | memoryview:
        """Return a chunk of an animation: of one announced before the pixels, as long as it is."""
        if chunk.kind == b"acTL":
            in_place = not self.frames and b"IDAT" not in self.seen
            if not in_place or not _is_sound(chunk) or not self._fits(chunk):
                self.found.removed.add(Removed.FAULTS)
                return b""
            self.frames = self.found.frames = number(chunk.body, 0, 4)
            return chunk.whole
        if chunk.kind == b"fcTL":
            self.controls += 1
        if self.controls > self.frames:
            self.found.removed.add(Removed.OTHER_PICTURES)
            return b""
        if not _is_sound(chunk):
            raise Malformed("checksum")
        if chunk.kind == b"fcTL":
            width, height, left, top = (number(chunk.body, at, 4) for at in (4, 8, 12, 16))
            if left + width > self.found.width or top + height > self.found.height:
                raise Malformed("a frame beyond the canvas")
        return chunk.whole

    # ---- the rest ----------------------------------------------------------------------------

    def _note_removed(self, chunk: Chunk) -> None:
        if chunk.kind == b"eXIf":
            orientation = exif.note(chunk.body, self.found)
            # The first block turns the picture, if it comes before the pixels.
            if _is_sound(chunk) and self.seen[b"eXIf"] == 1 and b"IDAT" not in self.seen:
                self.found.orientation = orientation
        elif chunk.body[: len(XMP_KEYWORD)] == XMP_KEYWORD:
            note_xmp(chunk.body, self.found)
        else:
            self.found.removed.add(REMOVED.get(chunk.kind, Removed.OTHER))

    def finish(self) -> bytes:
        """Return the end, where it is missing. Raises Incomplete."""
        if b"IDAT" not in self.seen:
            raise Malformed("no pixels") if b"IEND" in self.seen else Incomplete("no pixels")
        if self.controls < self.frames:
            raise Incomplete("fewer frames than stated")
        self.found.colour = self.colour()
        if b"IEND" in self.seen:
            return b""
        if self.frames:  # only a decoder can find out whether the last frame is whole
            raise Incomplete("no end")
        self.found.ended = False
        self.found.removed.add(Removed.FAULTS)
        return END


def walk(data: bytes) -> Findings:
    found, view = Findings(), memoryview(data)
    walk_, end = Walk(found), len(MAGIC)
    found.parts.append(view[:end])
    for chunk in bounded(_chunks(view)):
        found.parts.append(walk_.kept(chunk))
        end = chunk.stop
    found.parts.append(walk_.finish())
    if found.ended and end < len(data):
        found.removed.add(Removed.TRAILING_BYTES)
    if found.orientation != 1:  # right after the header, the first place a chunk may have
        found.parts.insert(2, _chunk(b"eXIf", exif.orientation_only(found.orientation)))
    return found


def _chunks(view: memoryview) -> Iterator[Chunk]:
    """Yield the chunks that are there whole. Raises Incomplete if one of pixels is not."""
    at, kind = len(MAGIC), b""
    while kind != b"IEND" and at + 8 <= len(view):
        stop = at + 12 + number(view, at, 4)
        kind = bytes(view[at + 4 : at + 8])
        if stop > len(view):
            if kind in CRITICAL and kind != b"IEND":
                raise Incomplete("a chunk beyond the end")
            return
        yield Chunk(kind, view[at + 8 : stop - 4], view[at:stop], stop)
        at = stop


def _is_sound(chunk: Chunk) -> bool:
    return zlib.crc32(chunk.whole[4:-4]) == number(chunk.whole, len(chunk.whole) - 4, 4)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return len(body).to_bytes(4) + kind + body + checksum.to_bytes(4)
