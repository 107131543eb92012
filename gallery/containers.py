"""Image files as containers: what they are, how large, and what in them tells tales.

Reads headers and takes details out without decoding a pixel, so nothing of the picture changes.
Pure functions over bytes that may come from an attacker: every length is checked against what is
there, nothing recurses, and whatever does not add up is Malformed.

Kept: pixels, colour profile, orientation, animation. Everything else is left out, by lists of
what may stay rather than of what must go.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LOCATION, CAMERA, XMP, CAPTIONS = "location", "camera", "xmp", "iptc"
COMMENTS, TRAILING, OTHER = "comments", "trailing-bytes", "other"


class Malformed(Exception):
    """The file does not add up: cut short, contradictory, or not what it begins as."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before anything is decoded."""

    format: str
    width: int
    height: int
    frames: int


@dataclass(slots=True)
class Findings:
    """What a walk through a container finds, and the parts of it that may stay."""

    parts: list[bytes] = field(default_factory=list)
    width: int = 0
    height: int = 0
    frames: int = 0
    orientation: int = 1
    removed: set[str] = field(default_factory=set)

    def seen(self, width: int, height: int) -> None:
        self.width, self.height = max(self.width, width), max(self.height, height)


def sniff(data: bytes) -> str | None:
    """Return the format the content begins as, whatever the file was called."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(PNG_SIGNATURE):
        return "PNG"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return _iso_brand(data) if data[4:8] == b"ftyp" else None


def read_header(data: bytes) -> Header:
    """Return what the container says of itself. Raises Malformed."""
    kind, found = _walk(data)
    if not found.width or not found.height or not found.frames:
        raise Malformed
    return Header(kind, found.width, found.height, found.frames)


def without_details(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the file without its details, and short words for what was removed.

    Raises Malformed.
    """
    _, found = _walk(data)
    return b"".join(found.parts), tuple(sorted(found.removed))


def _walk(data: bytes) -> tuple[str, Findings]:
    kind = sniff(data)
    if kind is None:
        raise Malformed
    try:
        return kind, WALKS[kind](data)
    except (struct.error, IndexError, ValueError, zlib.error):
        raise Malformed from None


# ---- Exif (TIFF 6.0) -------------------------------------------------------------------------

ORIENTATION_TAG, GPS_TAG = 0x0112, 0x8825


def _read_exif(tiff: bytes, found: Findings) -> None:
    """Note orientation and what kind of details a block of Exif holds."""
    found.removed.add(CAMERA)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return
    (offset,) = struct.unpack_from(order + "I", tiff, 4)
    if offset + 2 > len(tiff):
        return
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    for position in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _kind, _count, value = struct.unpack_from(order + "HHIH", tiff, position)
        if tag == GPS_TAG:
            found.removed.add(LOCATION)
        if tag == ORIENTATION_TAG and 1 <= value <= 8:
            found.orientation = value


def _orientation_exif(orientation: int) -> bytes:
    """Return a TIFF block that holds the orientation and nothing else (26 bytes)."""
    entry = struct.pack("<HHIHH", ORIENTATION_TAG, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


# ---- JPEG (ITU-T T.81) -----------------------------------------------------------------------

STANDALONE = {0x01, *range(0xD0, 0xD8)}
FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
SCAN, END, COMMENT = 0xDA, 0xD9, 0xFE
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
JFIF_BYTES = 14  # without the small picture it may carry


def _walk_jpeg(data: bytes) -> Findings:
    found, kept, position = Findings(frames=1), [], 2
    while True:
        marker, position = _next_marker(data, position)
        if marker == END:
            break
        if marker in STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        body = data[position + 2 : position + length]
        if length < 2 or len(body) != length - 2:
            raise Malformed
        position += length
        if marker == SCAN:
            stop = _end_of_scan(data, position)
            body, position = body + data[position:stop], stop
        kept.append(_kept_segment(marker, length, body, found))
    if position < len(data):
        found.removed.add(TRAILING)
    exif = _exif_segment(found.orientation)
    # Exif comes right after JFIF, which comes first (Exif 2.3 §4.5.4).
    jfif = [part for part in kept if part[1:2] == bytes([APP0])]
    rest = [part for part in kept if part[1:2] != bytes([APP0])]
    found.parts = [b"\xff\xd8", *jfif, exif, *rest, b"\xff\xd9"]
    return found


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    if data[position] != 0xFF:
        raise Malformed
    while data[position] == 0xFF:  # any number of fill bytes (B.1.1.2)
        position += 1
    return data[position], position + 1


def _end_of_scan(data: bytes, position: int) -> int:
    """Return where entropy-coded data ends: at a marker that neither is 00 nor restarts."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise Malformed
        following = data[position + 1]
        if following == 0xFF:
            position += 1
        elif following == 0 or 0xD0 <= following <= 0xD7:
            position += 2
        else:
            return position


def _kept_segment(marker: int, length: int, body: bytes, found: Findings) -> bytes:
    """Return what stays of one segment, which may be nothing."""
    whole = bytes([0xFF, marker]) + length.to_bytes(2, "big") + body
    if marker in FRAME_HEADERS:
        height, width = struct.unpack_from(">HH", body, 1)
        found.seen(width, height)
    if marker == APP0 and body.startswith(b"JFIF\0") and len(body) >= JFIF_BYTES:
        return b"\xff\xe0\x00\x10" + body[: JFIF_BYTES - 2] + b"\0\0"
    if marker == APP2 and body.startswith(b"ICC_PROFILE\0"):
        return whole
    if marker == APP14 and body.startswith(b"Adobe"):
        return whole[: 4 + 12] if length == 14 else b"\xff\xee\x00\x0e" + body[:12]
    if marker == COMMENT or APP0 <= marker <= 0xEF:
        _note_segment(marker, body, found)
        return b""
    return whole


def _note_segment(marker: int, body: bytes, found: Findings) -> None:
    if marker == APP1 and body.startswith(b"Exif\0"):
        _read_exif(body[6:], found)
    elif marker == APP1:
        found.removed.add(XMP)
    elif marker == APP13:
        found.removed.add(CAPTIONS)
    else:
        found.removed.add(COMMENTS if marker == COMMENT else OTHER)


def _exif_segment(orientation: int) -> bytes:
    if orientation == 1:
        return b""
    body = b"Exif\0\0" + _orientation_exif(orientation)
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


# ---- PNG (W3C, third edition) ----------------------------------------------------------------

PNG_KEPT = set(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT mDCV cLLI".split()
)
PNG_REMOVED = {b"tEXt": COMMENTS, b"zTXt": COMMENTS, b"iTXt": XMP, b"tIME": CAMERA}


def _walk_png(data: bytes) -> Findings:
    found, position, kind = Findings(), len(PNG_SIGNATURE), b""
    found.parts.append(PNG_SIGNATURE)
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        chunk = data[position : position + 12 + length]
        if len(chunk) != 12 + length:
            raise Malformed
        position += 12 + length
        found.parts.append(_kept_chunk(kind, chunk, found))
    if position < len(data):
        found.removed.add(TRAILING)
    found.frames = max(1, found.frames)
    return found


def _kept_chunk(kind: bytes, chunk: bytes, found: Findings) -> bytes:
    body = chunk[8:-4]
    if kind == b"IHDR":
        found.seen(*struct.unpack_from(">II", body))
    if kind == b"fcTL":
        found.frames += 1  # counted: what acTL announces may be a lie
        found.seen(*struct.unpack_from(">II", body, 4))
    if kind in PNG_KEPT:
        return chunk
    if kind == b"iCCP":  # the profile stays; its name is free text
        return _png_chunk(kind, b"icc\0" + body[body.index(b"\0") + 1 :])
    if kind == b"eXIf":
        _read_exif(body, found)
        exif = _orientation_exif(found.orientation)
        return _png_chunk(kind, exif) if found.orientation != 1 else b""
    if not kind[0] & 0x20:  # critical, and unknown: nobody could show it
        raise Malformed
    found.removed.add(PNG_REMOVED.get(kind, OTHER))
    return b""


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", checksum)


# ---- GIF (CompuServe 89a) --------------------------------------------------------------------

GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")  # looping, and a colour profile


def _walk_gif(data: bytes) -> Findings:
    found = Findings()
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    found.seen(width, height)
    position = 13 + _colour_table_bytes(flags)
    found.parts.append(data[:position])
    control = b""  # of the next picture; goes with what it belongs to
    while data[position] != 0x3B:
        block, position = _gif_block(data, position)
        if block[:2] == b"\x21\xf9":
            control = block
        elif block[:1] == b"\x2c":
            _see_frame(block, found)
            found.parts += [control, block]
            control = b""
        else:
            found.parts.append(_kept_extension(block, found))
            control = b"" if block[1] == 0x01 else control
    found.parts.append(b"\x3b")
    if position + 1 < len(data):
        found.removed.add(TRAILING)
    return found


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _gif_block(data: bytes, start: int) -> tuple[bytes, int]:
    """Return one block, with its sub-blocks, and where the next begins."""
    if data[start] == 0x21:
        position = start + 2
    elif data[start] == 0x2C:
        position = start + 10 + _colour_table_bytes(data[start + 9]) + 1
    else:
        raise Malformed
    while data[position]:
        position += data[position] + 1
    return data[start : position + 1], position + 1


def _see_frame(block: bytes, found: Findings) -> None:
    left, top, width, height = struct.unpack_from("<HHHH", block, 1)
    found.frames += 1
    found.seen(left + width, top + height)


def _kept_extension(block: bytes, found: Findings) -> bytes:
    if block[1] == 0xFF and block[3:14] in GIF_KEPT:
        return block
    if block[1] == 0xFF:
        found.removed.add(XMP if block[3:11] == b"XMP Data" else OTHER)
    else:
        found.removed.add(COMMENTS)
    return b""


# ---- WebP (RFC 9649) -------------------------------------------------------------------------

WEBP_KEPT = (b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L")
WEBP_IN_FRAME = (b"ALPH", b"VP8 ", b"VP8L")
HAS_XMP, HAS_EXIF = 0x04, 0x08


def _walk_webp(data: bytes) -> Findings:
    found, kept = Findings(), []
    (stated,) = struct.unpack_from("<I", data, 4)
    end = 8 + stated
    if end > len(data) + (stated & 1):
        raise Malformed
    for kind, body in _riff_chunks(data[12:end]):
        kept.append((kind, _kept_webp(kind, body, found)))
    if end < len(data):
        found.removed.add(TRAILING)
    found.frames = max(1, found.frames)
    found.parts = _webp_parts([chunk for chunk in kept if chunk[1] is not None], found)
    return found


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(body) != length:
            raise Malformed
        yield kind, body
        position += 8 + length + (length & 1)


def _kept_webp(kind: bytes, body: bytes, found: Findings) -> bytes | None:
    if kind == b"EXIF":
        _read_exif(body.removeprefix(b"Exif\0\0"), found)
    elif kind == b"XMP ":
        found.removed.add(XMP)
    elif kind not in WEBP_KEPT:
        found.removed.add(OTHER)
    else:
        _see_webp(kind, body, found)
        return _kept_frame(body) if kind == b"ANMF" else body
    return None


def _see_webp(kind: bytes, body: bytes, found: Findings) -> None:
    if kind == b"VP8X":
        found.seen(_u24(body, 4) + 1, _u24(body, 7) + 1)
    elif kind == b"VP8 ":
        if body[3:6] != b"\x9d\x01\x2a":
            raise Malformed
        width, height = struct.unpack_from("<HH", body, 6)
        found.seen(width & 0x3FFF, height & 0x3FFF)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        found.seen((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"ANMF":
        found.frames += 1
        found.seen(_u24(body, 6) + 1, _u24(body, 9) + 1)


def _u24(data: bytes, position: int) -> int:
    if position + 3 > len(data):
        raise Malformed
    return int.from_bytes(data[position : position + 3], "little")


def _kept_frame(body: bytes) -> bytes:
    chunks = [chunk for chunk in _riff_chunks(body[16:]) if chunk[0] in WEBP_IN_FRAME]
    return body[:16] + b"".join(_riff_chunk(kind, inner) for kind, inner in chunks)


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def _webp_parts(kept: list[tuple[bytes, bytes]], found: Findings) -> list[bytes]:
    extended = any(kind == b"VP8X" for kind, _ in kept)
    turned = extended and found.orientation != 1  # without VP8X there is no place for Exif
    if turned:
        kept = [*kept, (b"EXIF", _orientation_exif(found.orientation))]
    chunks = [_riff_chunk(kind, _flagged(kind, body, turned)) for kind, body in kept]
    return [b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WEBP", *chunks]


def _flagged(kind: bytes, body: bytes, has_exif: bool) -> bytes:
    if kind != b"VP8X":
        return body
    flags = body[0] & ~(HAS_XMP | HAS_EXIF) | (HAS_EXIF if has_exif else 0)
    return bytes([flags]) + body[1:]


# ---- AVIF and HEIC (ISO/IEC 14496-12, 23008-12) ----------------------------------------------

AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
ISO_KEPT = {b"ftyp", b"meta", b"mdat", b"moov"}
ISO_DETAILS = {b"udta", b"meta", b"uuid", b"free", b"skip"}  # inside moov, at any depth of it
ISO_NESTED = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"iprp", b"ipco"}
MAX_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its kind, and where it, and its body, lie in the file."""

    kind: bytes
    start: int
    body: int
    end: int


def _iso_brand(data: bytes) -> str | None:
    length = int.from_bytes(data[:4], "big")
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, min(length, 256), 4))}
    if brands & AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & HEIC_BRANDS else None


def _walk_iso(data: bytes) -> Findings:
    """Details are overwritten where they lie: offsets elsewhere in the file stay right."""
    found, changed = Findings(frames=1), bytearray(data)
    boxes, end = _top_boxes(data)
    for box in boxes:
        if box.kind not in ISO_KEPT:
            _blank(changed, box, found)
    metas = [box for box in boxes if box.kind == b"meta"]
    extents: list[tuple[int, int]] = []
    for meta in metas:
        extents += _walk_meta(data, meta, changed, found)
    moovs = [box for box in boxes if box.kind == b"moov"]
    for moov in moovs:
        _walk_moov(data, moov, changed, found)
    if not moovs:
        _blank_unused(changed, [box for box in boxes if box.kind == b"mdat"], extents)
    if end < len(data):
        found.removed.add(TRAILING)
    found.parts = [bytes(changed[:end])]
    return found


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places. Raises Malformed if one reaches beyond the end."""
    for _ in range(MAX_BOXES):
        if start >= end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if size == 0 else start + size
        if stop > end or stop < body:
            raise Malformed
        yield Box(kind, start, body, stop)
        start = stop
    raise Malformed


def _top_boxes(data: bytes) -> tuple[list[Box], int]:
    """Return the boxes of the file and where they end; what follows is no box, and is cut."""
    boxes: list[Box] = []
    try:
        for box in _boxes(data, 0, len(data)):
            boxes.append(box)
    except (Malformed, struct.error):
        if not any(box.kind == b"mdat" for box in boxes):
            raise
    if not any(box.kind == b"meta" for box in boxes):
        raise Malformed
    return boxes, boxes[-1].end


def _blank(changed: bytearray, box: Box, found: Findings) -> None:
    """Make a box `free` and empty, where it lies."""
    if any(changed[box.body : box.end]):
        found.removed.add(OTHER)
    changed[box.start + 4 : box.start + 8] = b"free"
    changed[box.body : box.end] = bytes(box.end - box.body)


def _walk_moov(data: bytes, moov: Box, changed: bytearray, found: Findings) -> None:
    waiting, seen = [moov], 0
    while waiting:
        for box in _boxes(data, (parent := waiting.pop()).body, parent.end):
            seen += 1
            if seen > MAX_BOXES:
                raise Malformed
            if box.kind in ISO_DETAILS:
                _blank(changed, box, found)
            elif box.kind in ISO_NESTED:
                waiting.append(box)
            elif box.kind == b"tkhd" and box.end - box.body >= 8:
                width, height = struct.unpack_from(">II", data, box.end - 8)
                found.seen(width >> 16, height >> 16)
            elif box.kind == b"stsz":
                (count,) = struct.unpack_from(">I", data, box.body + 8)
                found.frames = max(found.frames, count)


def _walk_meta(
    data: bytes, meta: Box, changed: bytearray, found: Findings
) -> list[tuple[int, int]]:
    """Overwrite the items that hold details; return where all items lie in the file."""
    boxes = {box.kind: box for box in _boxes(data, meta.body + 4, meta.end)}
    if b"iprp" in boxes:
        _see_properties(data, boxes[b"iprp"], found)
    kinds = _item_kinds(data, boxes[b"iinf"]) if b"iinf" in boxes else {}
    idat = boxes[b"idat"].body if b"idat" in boxes else 0
    extents = []
    for item, start, stop in _item_extents(data, boxes[b"iloc"], idat) if b"iloc" in boxes else []:
        if stop > len(data) or stop < start:
            raise Malformed
        extents.append((start, stop))
        if kinds.get(item) in (b"Exif", b"mime", b"uri "):
            _overwrite_item(kinds[item], changed, start, stop, found)
    return extents


def _see_properties(data: bytes, iprp: Box, found: Findings) -> None:
    for container in _boxes(data, iprp.body, iprp.end):
        if container.kind == b"ipco":
            for box in _boxes(data, container.body, container.end):
                if box.kind == b"ispe":
                    found.seen(*struct.unpack_from(">II", data, box.body + 4))


def _item_kinds(data: bytes, iinf: Box) -> dict[int, bytes]:
    """Return the type of each item by its id (ISO/IEC 14496-12 §8.11.6)."""
    kinds = {}
    first = iinf.body + (6 if data[iinf.body] == 0 else 8)
    for box in _boxes(data, first, iinf.end):
        version = data[box.body]
        if box.kind != b"infe" or version < 2:
            continue
        item, position = _number(data, box.body + 4, 2 if version == 2 else 4)
        kinds[item] = data[position + 2 : position + 6]
    return kinds


def _number(data: bytes, position: int, width: int) -> tuple[int, int]:
    if position + width > len(data):
        raise Malformed
    return int.from_bytes(data[position : position + width], "big"), position + width


def _item_extents(data: bytes, iloc: Box, idat: int) -> Iterator[tuple[int, int, int]]:
    """Yield item id, start and stop of every extent (ISO/IEC 14496-12 §8.11.3)."""
    version = data[iloc.body]
    sizes, position = _number(data, iloc.body + 4, 2)
    offset_width, length_width, base_width = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_width = sizes & 15 if version else 0
    id_width = 4 if version == 2 else 2
    count, position = _number(data, position, id_width)
    if count > MAX_BOXES:
        raise Malformed
    for _ in range(count):
        item, position = _number(data, position, id_width)
        method, position = _number(data, position, 2 if version else 0)
        _reference, position = _number(data, position, 2)
        base, position = _number(data, position, base_width)
        extents, position = _number(data, position, 2)
        origin = base + (idat if method & 15 == 1 else 0)
        for _ in range(extents):
            position += index_width
            offset, position = _number(data, position, offset_width)
            length, position = _number(data, position, length_width)
            if position > iloc.end or method & 15 > 1:
                raise Malformed
            yield item, origin + offset, origin + offset + length


def _overwrite_item(
    kind: bytes, changed: bytearray, start: int, stop: int, found: Findings
) -> None:
    length = stop - start
    if kind != b"Exif":
        found.removed.add(XMP)
        changed[start:stop] = b" " * length
        return
    block = bytes(changed[start:stop])
    _read_exif(block[4 + int.from_bytes(block[:4], "big") :], found)
    # Not zeros: decoders refuse an Exif item that is no TIFF block.
    empty = bytes(4) + _orientation_exif(found.orientation)
    changed[start:stop] = (
        empty + bytes(length - len(empty))
        if length >= len(empty)
        else ((bytes(4) + b"II*\0\x08\0\0\0\0\0\0\0\0\0").ljust(length, b"\0")[:length])
    )


def _blank_unused(changed: bytearray, mdats: list[Box], extents: list[tuple[int, int]]) -> None:
    """Empty what no item refers to: a place to hide things in."""
    used = sorted(extents)
    for mdat in mdats:
        position = mdat.body
        for start, stop in used:
            if mdat.body <= start < mdat.end:
                changed[position : max(position, start)] = bytes(max(0, start - position))
                position = max(position, stop)
        if position < mdat.end:
            changed[position : mdat.end] = bytes(mdat.end - position)


WALKS: dict[str, Callable[[bytes], Findings]] = {
    "JPEG": _walk_jpeg,
    "PNG": _walk_png,
    "GIF": _walk_gif,
    "WEBP": _walk_webp,
    "AVIF": _walk_iso,
    "HEIC": _walk_iso,
}
