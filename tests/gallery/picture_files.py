"""Image files made for the intake's tests, byte by byte where no library makes them so.

`pictures/corners.heic` was made with heif-enc from the picture of `corners()`; there is no HEVC
encoder among our packages.
"""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image, ImageCms

from gallery.intake import Limits

LIMITS = Limits(max_bytes=60_000_000, max_pixels=64_000_000, max_frames=500)
WIDTH, HEIGHT = 128, 64
COLOURS = ("red", "yellow", "blue", "teal")  # top left, top right, bottom left, bottom right
HEIC = (Path(__file__).parent / "pictures" / "corners.heic").read_bytes()
PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
FORMATS = (*PILLOW_FORMATS, "HEIC")


def corners(mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Return a picture whose four corners show how it is turned."""
    width, height = size
    picture = Image.new("RGB", size)
    for index, colour in enumerate(COLOURS):
        left, top = index % 2 * width // 2, index // 2 * height // 2
        picture.paste(colour, (left, top, left + width // 2, top + height // 2))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def plain(kind: str) -> bytes:
    """Return the corners in that format, with nothing beside them."""
    return HEIC if kind == "HEIC" else encoded(corners(), kind)


def animated(kind: str, frames: int = 3) -> bytes:
    pictures = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in COLOURS]
    rest = [pictures[index % len(pictures)] for index in range(1, frames)]
    return encoded(pictures[0], kind, save_all=True, append_images=rest, duration=100)


@cache
def profile() -> bytes:
    """Return sRGB with red and blue exchanged: a program that follows it shows other colours.

    Made once: it holds the second it was made in.
    """
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = made.index(b"rXYZ"), made.index(b"bXYZ")  # in the table of tags; then offset, size
    swapped = bytearray(made)
    swapped[red + 4 : red + 12], swapped[blue + 4 : blue + 12] = (
        made[blue + 4 : blue + 12],
        made[red + 4 : red + 12],
    )
    return bytes(swapped)


# ---- canaries --------------------------------------------------------------------------------


def canary(place: str) -> str:
    """Return what must not be found later, and says where it was hidden."""
    return f"Canary-{place}-7f3a"


def places_found(data: bytes) -> set[str]:
    """Return where canaries are, also in UTF-16 and in what is deflated."""
    found = set()
    for text in (data, *_inflated(data)):
        for plain_text in (text, text.replace(b"\0", b"")):
            for part in plain_text.split(b"Canary-")[1:]:
                found.add(part.split(b"-7f3a")[0].decode("ascii", "replace")[:40])
    return found


def _inflated(data: bytes) -> Iterable[bytes]:
    for header in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        at = data.find(header)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:], 1_000_000)
            at = data.find(header, at + 1)


# ---- Exif ------------------------------------------------------------------------------------

ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7
Entries = dict[int, tuple[int, bytes]]


def tiff(*, orientation: int = 0, little: bool = True, details: bool = True) -> bytes:
    """Return a TIFF block as a camera writes it: canaries, place, maker note, small picture."""
    order = "<" if little else ">"
    number: Callable[[int], bytes] = struct.Struct(order + "I").pack
    short: Callable[[int], bytes] = struct.Struct(order + "H").pack
    first: Entries = {}
    if orientation:
        first[0x0112] = (SHORT, short(orientation))
    out = (b"II*\0" if little else b"MM\0*") + number(8)
    if not details:
        return out + _directory(order, first, 8, 0)
    first[0x010F] = (ASCII, canary("exif-make").encode() + b"\0")
    first[0x8769] = first[0x8825] = (LONG, number(0))
    exif_at = 8 + len(_directory(order, first, 8, 0))
    exif: Entries = {
        0x9003: (ASCII, b"2026:05:03 14:08:09\0"),
        0x9011: (ASCII, b"+02:00\0"),
        0x927C: (UNDEFINED, canary("exif-maker-note").encode()),
        0x9286: (UNDEFINED, b"UNICODE\0" + canary("exif-user-comment").encode("utf-16-le")),
    }
    gps_at = exif_at + len(_directory(order, exif, exif_at, 0))
    degrees = b"".join(number(value) for value in (47, 1, 22, 1, 30, 1))
    gps: Entries = {
        1: (ASCII, b"N\0"),
        2: (RATIONAL, degrees),
        3: (ASCII, b"E\0"),
        4: (RATIONAL, degrees),
        0x1D: (ASCII, canary("exif-gps").encode() + b"\0"),
    }
    small_at = gps_at + len(_directory(order, gps, gps_at, 0))
    small = encoded(Image.new("RGB", (16, 16), "pink"), "JPEG", comment=canary("exif-thumbnail"))
    jpeg_at = small_at + 2 + 2 * 12 + 4
    second: Entries = {0x0201: (LONG, number(jpeg_at)), 0x0202: (LONG, number(len(small)))}
    first[0x8769], first[0x8825] = (LONG, number(exif_at)), (LONG, number(gps_at))
    out += _directory(order, first, 8, small_at) + _directory(order, exif, exif_at, 0)
    return out + _directory(order, gps, gps_at, 0) + _directory(order, second, small_at, 0) + small


UNITS = {ASCII: 1, UNDEFINED: 1, SHORT: 2, LONG: 4, RATIONAL: 8}


def _directory(order: str, entries: Entries, at: int, following: int) -> bytes:
    fields, values = b"", b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, (kind, value) in sorted(entries.items()):
        fields += struct.pack(order + "HHI", tag, kind, len(value) // UNITS[kind])
        if len(value) <= 4:
            fields += value.ljust(4, b"\0")
        else:
            fields += struct.pack(order + "I", values_at + len(values))
            values += value
    head = struct.pack(order + "H", len(entries))
    return head + fields + struct.pack(order + "I", following) + values


def xmp() -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
        b'22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3" '
        b'exif:GPSLatitude="47,22.5N" exif:UserComment="'
        + canary("xmp").encode()
        + b'"/></rdf:RDF></x:xmpmeta>'
    )


# ---- JPEG ------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*, orientation: int = 0, little: bool = True) -> bytes:
    """Return a JPEG with a canary in every place that is not the picture."""
    data = encoded(corners(), "JPEG", quality=95, icc_profile=profile())
    jfif_end = 2 + 2 + struct.unpack_from(">H", data, 4)[0]
    hidden = [
        segment(0xE0, b"JFXX\0\x10" + canary("jfxx").encode()),
        segment(0xE1, b"Exif\0\0" + tiff(orientation=orientation, little=little)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + canary("xmp-extension").encode()),
        segment(0xE2, b"MPF\0" + canary("mpf").encode()),
        segment(0xEB, b"JP" + canary("c2pa").encode()),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x40" + canary("iptc").encode()),
        segment(0xFE, canary("comment").encode()),
        segment(0xFE, canary("comment-utf-16").encode("utf-16-be")),
    ]
    jfif = segment(0xE0, data[6:18] + b"\x08\x01" + (canary("jfif") + "..").encode().ljust(24))
    second_picture = encoded(corners(), "JPEG", comment=canary("second-picture"))
    whole = b"\xff\xd8" + jfif + b"".join(hidden) + data[jfif_end:]
    return whole + second_picture + canary("trailing").encode()


# ---- PNG -------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png(*, orientation: int = 0, little: bool = True, animated_too: bool = False) -> bytes:
    data = animated("PNG") if animated_too else encoded(corners(), "PNG")
    header, rest = data[:33], data[33:]
    text = canary("ztxt").encode()
    hidden = [
        chunk(b"iCCP", canary("profile-name").encode() + b"\0\0" + zlib.compress(profile())),
        chunk(b"eXIf", tiff(orientation=orientation, little=little)),
        chunk(b"tEXt", b"Comment\0" + canary("text").encode()),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        chunk(b"iTXt", b"Author\0\x01\0\0\0" + zlib.compress(canary("itxt").encode())),
        chunk(b"tIME", bytes([7, 234, 5, 3, 14, 8, 9])),
        chunk(b"caBX", canary("c2pa").encode()),
        chunk(b"prVt", canary("private").encode()),
    ]
    late = chunk(b"tEXt", b"Software\0" + canary("late-text").encode())
    pixels, end = rest[:-12], rest[-12:]
    return header + b"".join(hidden) + pixels + late + end + canary("trailing").encode()


# ---- GIF -------------------------------------------------------------------------------------


def sub_blocks(body: bytes) -> bytes:
    pieces = [body[at : at + 255] for at in range(0, len(body), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def gif(*, frames: int = 3) -> bytes:
    data = animated("GIF", frames)
    start = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    # XMP is not cut into sub-blocks: the ramp at its end leads every reader out of it.
    ramp = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    hidden = [
        b"\x21\xfe" + sub_blocks(canary("comment").encode()),
        b"\x21\xff\x0bXMP DataXMP" + xmp() + ramp,
        b"\x21\xff\x0bMGK8BIM0000" + sub_blocks(canary("application").encode()),
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0" + sub_blocks(canary("loop").encode()),
        b"\x21\x01\x0c" + bytes(12) + sub_blocks(canary("plain-text").encode()),
        b"\x21\x99" + sub_blocks(canary("unknown").encode()),
    ]
    tail = b"\x21\xfe" + sub_blocks(canary("late-comment").encode())
    return data[:start] + b"".join(hidden) + data[start:-1] + tail + b";" + b"Canary-trailing-7f3a"


# ---- WebP ------------------------------------------------------------------------------------


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def riff_chunks(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    at = 12
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def hidden_in(kind: bytes) -> bytes:
    """Return what finds room at the end of chunks of that kind."""
    room = {
        b"ANIM": canary("animation").encode(),
        b"ANMF": riff(b"CANA", canary("frame").encode()),
    }
    return room.get(kind, b"")


def webp(*, orientation: int = 0, little: bool = True, animated_too: bool = False) -> bytes:
    exif = tiff(orientation=orientation, little=little)
    options = {"exif": exif, "xmp": xmp(), "icc_profile": profile(), "lossless": True}
    if animated_too:
        rest = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in COLOURS[1:]]
        options |= {"save_all": True, "append_images": rest, "duration": 100}
    data = encoded(corners(), "WEBP", **options)
    chunks = [riff(kind, body + hidden_in(kind)) for kind, body in riff_chunks(data)]
    body = b"".join(chunks) + riff(b"CANA", canary("chunk").encode())
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body + b"Canary-trailing-7f3a"


# ---- AVIF and HEIC ---------------------------------------------------------------------------


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def find_box(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind) - 4
    return data[at : at + struct.unpack_from(">I", data, at)[0]]


@dataclass(frozen=True)
class Item:
    kind: bytes
    body: bytes
    name: bytes = b""
    media_type: bytes = b""


@dataclass(frozen=True)
class Heif:
    """An AVIF or HEIC file as it is built: `build()` gives its bytes."""

    brand: bytes
    items: tuple[Item, ...]  # the picture first
    properties: tuple[bytes, ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)
    gap: bytes = b""  # in the data, between items
    in_meta: tuple[bytes, ...] = ()
    in_properties: tuple[bytes, ...] = ()  # that belong to no item
    before_data: tuple[bytes, ...] = ()
    after: bytes = b""
    extent_base: int = 0
    handler_name: bytes = b""

    def build(self) -> bytes:
        offsets = [0] * len(self.items)
        for _ in range(2):  # the table of places has the same length whatever it says
            head = self._head(offsets)
            at, offsets = len(head) + 8, []
            for item in self.items:
                at += len(self.gap)
                offsets.append(at)
                at += len(item.body)
        data = b"".join(self.gap + item.body for item in self.items) + self.gap
        return head + box(b"mdat", data) + self.after

    def _head(self, offsets: list[int]) -> bytes:
        file_type = box(b"ftyp", self.brand, bytes(4), self.brand, b"mif1", b"miaf")
        return file_type + self._meta(offsets) + b"".join(self.before_data)

    def _meta(self, offsets: list[int]) -> bytes:
        numbered = list(enumerate(self.items, start=1))
        entries = [
            full_box(b"infe", 2, struct.pack(">HH", number, 0), item.kind, item.name + b"\0")
            if item.kind != b"mime"
            else full_box(
                b"infe",
                2,
                struct.pack(">HH", number, 0),
                item.kind,
                item.name + b"\0",
                item.media_type + b"\0",
            )
            for number, item in numbered
        ]
        places = [
            struct.pack(
                ">HHHIHII",
                number,
                0,
                0,
                self.extent_base,
                1,
                offset - self.extent_base if offset else 0,
                len(item.body),
            )
            for (number, item), offset in zip(numbered, offsets, strict=True)
        ]
        references = [box(b"cdsc", struct.pack(">HHH", number, 1, 1)) for number, _ in numbered[1:]]
        return full_box(
            b"meta", 0,
            full_box(b"hdlr", 0, bytes(4), b"pict", bytes(12), self.handler_name + b"\0"),
            full_box(b"pitm", 0, b"\0\x01"),
            full_box(b"iinf", 0, struct.pack(">H", len(entries)), *entries),
            full_box(b"iref", 0, *references) if references else b"",
            self._properties(),
            full_box(b"iloc", 1, b"\x44\x40", struct.pack(">H", len(places)), *places),
            *self.in_meta,
        )  # fmt: skip

    def _properties(self) -> bytes:
        extent = full_box(b"ispe", 0, struct.pack(">II", *self.size))
        used = [extent, *self.properties]
        associations = bytes(0x80 | number for number in range(1, len(used) + 1))
        return box(
            b"iprp",
            box(b"ipco", *used, *self.in_properties),
            full_box(b"ipma", 0, struct.pack(">IHB", 1, 1, len(used)), associations),
        )


def heif(kind: str, **changes: object) -> Heif:
    """Return a file of one picture, the corners, to change and build."""
    data = plain(kind)
    if kind == "AVIF":
        coded, config = find_box(data, b"mdat")[8:], find_box(data, b"av1C")
        colour = find_box(data, b"colr")
        picture = Heif(b"avif", (Item(b"av01", coded),), (config, colour))
    else:
        coded, config = find_box(data, b"mdat")[8:], find_box(data, b"hvcC")
        picture = Heif(b"heic", (Item(b"hvc1", coded),), (config,))
    return replace(picture, **changes)


def turned(orientation: int) -> tuple[bytes, ...]:
    """Return the properties that turn a picture as Exif's orientation does (libavif's table)."""
    angles = {3: 2, 5: 1, 6: 3, 7: 3, 8: 1}
    axes = {2: 1, 4: 0, 5: 0, 7: 0}
    rotation = [box(b"irot", bytes([angles[orientation]]))] if orientation in angles else []
    mirror = [box(b"imir", bytes([axes[orientation]]))] if orientation in axes else []
    return (*rotation, *mirror)


def iso(kind: str, *, orientation: int = 1, little: bool = True) -> bytes:
    """Return an AVIF or HEIC with a canary in every place that is not the picture."""
    base = heif(kind)
    exif = bytes(4) + tiff(orientation=orientation, little=little)
    details = (
        Item(b"Exif", exif, canary("item-name").encode()),
        Item(b"mime", xmp(), b"", b"application/rdf+xml"),
        Item(b"uri ", canary("uri").encode()),
        Item(b"cana", canary("unknown-item").encode()),
    )
    return replace(
        base,
        items=(*base.items, *details),
        properties=(*base.properties, *turned(orientation)),
        gap=canary("gap").encode(),
        handler_name=canary("handler").encode(),
        in_meta=(box(b"uuid", bytes(16), canary("meta-uuid").encode()),),
        in_properties=(full_box(b"udes", 0, b"\0" + canary("description").encode() + b"\0\0\0"),),
        before_data=(
            box(b"free", canary("free").encode()),
            box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + xmp()),
        ),
        after=box(b"mpvd", canary("motion").encode()) + b"Canary-trailing-7f3a",
    ).build()


def animated_avif() -> bytes:
    """Return an animation with a canary for its compressor's name, and one in a box behind it."""
    data = animated("AVIF")
    name = data.index(b"stsd") + 12 + 8 + 42  # fields, the entry's head, and the fields before it
    hidden = canary("compressor").encode().ljust(32)
    return data[:name] + hidden + data[name + 32 :] + box(b"skip", canary("skip").encode())


def with_canaries(kind: str, *, orientation: int = 1, little: bool = True) -> bytes:
    makers = {"JPEG": jpeg, "PNG": png, "WEBP": webp}
    if kind == "GIF":
        return gif()
    if kind in ("AVIF", "HEIC"):
        return iso(kind, orientation=orientation, little=little)
    return makers[kind](orientation=orientation, little=little)


# ---- pictures built of pictures --------------------------------------------------------------

IDAT, MDAT = 1, 0  # where an item's content lies: iloc's construction methods


@dataclass(frozen=True)
class Part:
    """An item of a picture that is built of several; it comes with its properties by number."""

    kind: bytes
    body: bytes
    properties: tuple[int, ...] = ()
    place: int = MDAT
    media_type: bytes = b""


def extent(width: int, height: int) -> bytes:
    return full_box(b"ispe", 0, struct.pack(">II", width, height))


def grid(rows: int, columns: int, width: int, height: int) -> Part:
    body = bytes([0, 1, rows - 1, columns - 1]) + struct.pack(">II", width, height)
    return Part(b"grid", body, place=IDAT)


def linked(kind: bytes, source: int, *targets: int) -> bytes:
    return box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))


def built(
    parts: list[Part], properties: list[bytes], links: list[bytes], more: bytes = b""
) -> bytes:
    """Return a HEIC of items 1 to n, the first of them primary."""
    head, places = box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic"), [0] * len(parts)
    for _ in range(2):  # the table of places has the same length whatever it says
        meta = _meta_of(parts, properties, links, places, more)
        ends = {IDAT: 0, MDAT: len(head) + len(meta) + 8}
        for index, part in enumerate(parts):
            places[index] = ends[part.place]
            ends[part.place] += len(part.body)
    return head + meta + box(b"mdat", *(part.body for part in parts if part.place == MDAT))


def _meta_of(
    parts: list[Part], properties: list[bytes], links: list[bytes], places: list[int], more: bytes
) -> bytes:
    numbered = list(enumerate(zip(parts, places, strict=True), start=1))
    entries = [
        full_box(b"infe", 2, struct.pack(">HH", number, 0), part.kind, b"\0", part.media_type)
        for number, (part, _) in numbered
    ]
    table = [
        struct.pack(">HHHHII", number, part.place, 0, 1, place, len(part.body))
        for number, (part, place) in numbered
    ]
    owned = [
        struct.pack(">HB", number, len(part.properties)) + bytes(part.properties)
        for number, (part, _) in numbered
    ]
    return full_box(
        b"meta", 0,
        full_box(b"hdlr", 0, bytes(4), b"pict", bytes(12), b"\0"),
        box(b"dinf", full_box(b"dref", 0, struct.pack(">I", 1), full_box(b"url ", 0)[:-1] + b"\1")),
        full_box(b"pitm", 0, b"\0\x01"),
        full_box(b"iinf", 0, struct.pack(">H", len(entries)), *entries),
        full_box(b"iref", 0, *links),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", 0, struct.pack(">I", len(owned)), *owned),
        ),
        box(b"idat", *(part.body for part in parts if part.place == IDAT)),
        full_box(b"iloc", 1, b"\x44\0", struct.pack(">H", len(table)), *table),
        more,
    )  # fmt: skip


def phone_heic() -> bytes:
    """Return a HEIC as phones build it: tiles that reach over the edge, a small picture, a gain
    map with XMP of its own, Exif, XMP, and a box of the maker's."""
    coded, config = find_box(HEIC, b"mdat")[8:], find_box(HEIC, b"hvcC")
    properties = [
        config,
        extent(WIDTH, HEIGHT),
        extent(250, 120),
        box(b"colr", b"prof", profile()),
        box(b"irot", b"\3"),
        full_box(b"pixi", 0, b"\x03\x08\x08\x08"),
        full_box(b"auxC", 0, b"urn:com:apple:photo:2020:aux:hdrgainmap\0"),
    ]
    tile, xmp_type = Part(b"hvc1", coded, (0x81, 2, 4)), b"application/rdf+xml\0"
    parts = [
        replace(grid(2, 2, 250, 120), properties=(3, 4, 0x85, 6)),
        *[tile] * 4,
        Part(b"hvc1", coded, (0x81, 2, 4, 0x85, 6)),
        Part(b"hvc1", coded, (0x81, 2, 0x85, 6, 7)),
        Part(b"Exif", b"\0\0\0\x06Exif\0\0" + tiff(orientation=6, little=False)),
        Part(b"mime", xmp(), media_type=xmp_type),
        Part(b"mime", xmp(), media_type=canary("media-type").encode() + b"\0"),
        Part(b"uri ", canary("uri-item").encode(), media_type=canary("uri").encode() + b"\0"),
    ]
    links = [
        linked(b"dimg", 1, 2, 3, 4, 5),
        linked(b"thmb", 6, 1),
        linked(b"auxl", 7, 1),
        *(linked(b"cdsc", source, 1) for source in (8, 9, 11)),
        linked(b"cdsc", 10, 7),
        linked(b"zzzz", 11, 1),
    ]
    return built(parts, properties, links, box(b"cana", canary("maker-box").encode()))
