"""AVIF and HEIC files: ISO base media (ISO/IEC 14496-12) and HEIF (23008-12).

Such a file points into itself by offsets from its start, so nothing is taken out of it: what does
not stay is overwritten where it lies, all of it that no picture refers to. Only what is behind the
last box is cut off.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise

from gallery.containers import av1, exif, heif_colour
from gallery.containers.associations import merged
from gallery.containers.boxes import Box, Fields, Reader
from gallery.containers.common import (
    MAX_PARTS,
    Colour,
    Findings,
    Incomplete,
    Malformed,
    Removed,
    TooComplex,
    note_xmp,
    number,
)
from gallery.containers.items import (
    PICTURES,
    Item,
    Range,
    extent,
    grid_size,
    items_of,
    work_pixels,
)

ANIMATED = b"avis"
AVIF_BRANDS = {b"avif", ANIMATED}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1"}
MAX_BRAND_BYTES = 256

DETAILS = {b"Exif", b"mime"}  # items whose kind may be known although their content goes
SAMPLE_TABLES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
CREDENTIALS_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.1 §A.5
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def brand(data: bytes) -> str | None:
    """Return AVIF or HEIC, as the file type box has it, or None."""
    if data[4:8] != b"ftyp":
        return None
    stop = min(number(data, 0, 4), len(data), MAX_BRAND_BYTES)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, stop, 4))}
    if brands & AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & HEIC_BRANDS else None


def walk(data: bytes) -> Findings:
    found, reader = Findings(), Reader(data)
    file = reader.file()
    if len(file.all(b"meta", b"iprp", b"ipma")) > 1:
        mended = merged(data, file.one(b"meta"))
        if mended != data:
            found = walk(mended)
            found.removed.add(Removed.FAULTS)
            return found
    metas = _metas(file)
    items = [item for meta in metas for item in items_of(data, meta)]
    samples = [sample for trak in file.all(b"moov", b"trak") for sample in _samples(data, trak)]
    coded = _note_amounts(data, file, items, samples, found)

    changed = bytearray(data)
    _blank_boxes(changed, reader.unwanted, file, found)
    _blank_fields(changed, file, metas)
    found.colour = _colour(changed, file, coded, found)
    _blank_gaps(changed, file, metas, items, samples)
    for item in _details(items):
        _overwrite(changed, item, found)
    trailing = data[file.stop :]
    if trailing[4:8] in (b"ftyp", b"mpvd"):
        found.removed.add(Removed.VIDEO)
    elif trailing:
        found.removed.add(Removed.TRAILING_BYTES)
    found.parts = [memoryview(changed)[: file.stop]]
    return found


def _colour(changed: bytearray, file: Box, coded: list[av1.Sequence], found: Findings) -> Colour:
    """Leave of profiles what colour needs; return what counts of all that is said."""
    meta, entries = file.one(b"meta"), _sample_entries(file)
    boxes = [box for meta_ in _metas(file) for box in meta_.all(b"iprp", b"ipco", b"colr")]
    boxes += [box for entry in entries for box in entry.all(b"colr")]
    told = heif_colour.clean(changed, boxes, found)
    data = bytes(changed)
    properties = heif_colour.of_picture(data, meta)
    if data[8:12] == ANIMATED and entries:
        properties = entries[0].children
    first = next((sequence.colour for sequence in coded if sequence.colour), None)
    return heif_colour.chosen(data, properties, told, first)


# ---- where the frames of an animation lie ----------------------------------------------------


def _samples(data: bytes, trak: Box) -> Iterator[Range]:
    """Yield where each sample of a track lies (ISO/IEC 14496-12 §8.7)."""
    tables = trak.one(*SAMPLE_TABLES[2:])
    fields = Fields(data, tables.one(b"stsz"))
    fields.take(4)
    size, total = fields.take(4), fields.take(4)
    if total > MAX_PARTS:
        raise TooComplex("too many samples")
    sizes = [size] * total if size else [fields.take(4) for _ in range(total)]
    taken = 0
    for chunk, count in _chunks(data, tables):
        ends = accumulate(sizes[taken : taken + count], initial=chunk)
        yield from pairwise(ends)
        taken += count
    if taken != len(sizes):
        raise Malformed("other samples than stated")


def _chunks(data: bytes, tables: Box) -> Iterator[tuple[int, int]]:
    """Yield offset and number of samples of every chunk."""
    offsets = [
        offset
        for kind, width in ((b"stco", 4), (b"co64", 8))
        for table in tables.all(kind)
        for (offset,) in _entries(Fields(data, table), (width,))
    ]
    runs = list(_entries(Fields(data, tables.one(b"stsc")), (4, 4, 4)))
    for (first, count, _), (following, _, _) in pairwise([*runs, (len(offsets) + 1, 0, 0)]):
        if not 1 <= first < following <= len(offsets) + 1 or count > MAX_PARTS:
            raise Malformed("chunks out of order")
        yield from ((offset, count) for offset in offsets[first - 1 : following - 1])


def _entries(fields: Fields, widths: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    fields.take(4)
    for _ in range(fields.take(4)):
        yield tuple(fields.take(width) for width in widths)


# ---- how much it is --------------------------------------------------------------------------


def _note_amounts(
    data: bytes, file: Box, items: list[Item], samples: list[Range], found: Findings
) -> list[av1.Sequence]:
    """Note every size the file states, the coded pictures' own too, and how many frames; return
    the headers of what is coded."""
    for box in file.all(b"meta", b"iprp", b"ipco", b"ispe"):
        found.see_size(*extent(data, box))
    for item in items:
        if item.kind == b"grid":
            found.see_size(*grid_size(item.content(data)))
    for entry in _sample_entries(file):
        found.see_size(number(data, entry.body + 24, 2), number(data, entry.body + 26, 2))
    coded: list[av1.Sequence] = []
    if brand(data) == "AVIF":
        pictures = (item.content(data) for item in items if item.kind == b"av01")
        frames = (data[start:stop] for start, stop in samples)
        for stream in chain(pictures, frames):
            coded += av1.sequences(stream)
    for sequence in coded:
        found.see_size(*sequence.size)
    counts = [number(data, table.body + 8, 4) for table in file.all(*SAMPLE_TABLES, b"stsz")]
    found.frames = max([1, *counts])
    found.work_pixels = work_pixels(data, file.one(b"meta"))
    return coded


def _metas(file: Box) -> list[Box]:
    return [file.one(b"meta"), *file.all(b"moov", b"trak", b"meta")]


def _sample_entries(file: Box) -> list[Box]:
    return [entry for table in file.all(*SAMPLE_TABLES, b"stsd") for entry in table.children]


# ---- overwriting -----------------------------------------------------------------------------


def _fill(changed: bytearray, start: int, stop: int) -> None:
    changed[start:stop] = bytes(stop - start)


def _blank_boxes(changed: bytearray, unwanted: list[Box], file: Box, found: Findings) -> None:
    """Make boxes `free` and empty where they lie."""
    for box in unwanted:
        content = memoryview(changed)[box.body : box.stop].tobytes()
        if content.startswith(XMP_UUID):
            note_xmp(content, found)
        elif content.startswith(CREDENTIALS_UUID):
            found.removed.add(Removed.CREDENTIALS)
        elif content.strip(b"\0") and box.stop <= file.stop:
            found.removed.add(Removed.OTHER)
        changed[box.start + 4 : box.start + 8] = b"free"
        _fill(changed, box.body, box.stop)


def _blank_fields(changed: bytearray, file: Box, metas: list[Box]) -> None:
    """Blank the times and names that fields of boxes that stay hold."""
    for path in ((b"mvhd",), (b"trak", b"tkhd"), (b"trak", b"mdia", b"mdhd")):
        for box in file.all(b"moov", *path):
            # Creation and modification (ISO/IEC 14496-12 §8.2.2, §8.3.2, §8.4.2).
            width = 8 if number(changed, box.body, 1) == 1 else 4
            if box.stop - box.body < 4 + 2 * width:
                raise Malformed("a header too short")
            _fill(changed, box.body + 4, box.body + 4 + 2 * width)
    for box in [*file.all(b"moov", b"trak", b"mdia"), *metas]:
        handler = box.one(b"hdlr")
        _fill(changed, min(handler.body + 24, handler.stop), handler.stop)  # name, to the end
    for entry in _sample_entries(file):
        _fill(changed, entry.body + 42, entry.body + 74)  # the compressor's name
    for meta in metas:
        for entry in meta.all(b"iinf", b"infe"):
            # Of an item's entry its kind stays, not its name or media type; of a kind nobody knows
            # that neither: a decoder died of one that was no UTF-8.
            kind = entry.body + (10 if number(changed, entry.body, 1) == 3 else 8)
            if kind + 4 > entry.stop:
                raise Malformed("an item without a kind")
            if bytes(changed[kind : kind + 4]) not in PICTURES | DETAILS:
                changed[kind : kind + 4] = b"free"
            _fill(changed, kind + 4, entry.stop)


def _details(items: list[Item]) -> list[Item]:
    return [item for item in items if item.kind not in PICTURES]


def _blank_gaps(
    changed: bytearray, file: Box, metas: list[Box], items: list[Item], samples: list[Range]
) -> None:
    """Empty what no item refers to. Raises Malformed if one refers to where no data is."""
    pictures = [extent for item in items if item.kind in PICTURES for extent in item.extents]
    details = [extent for item in _details(items) for extent in item.extents]
    used = sorted([*_merged([*pictures, *samples]), *_merged(details)])
    used.reverse()
    areas = [*file.all(b"mdat"), *(idat for meta in metas for idat in meta.all(b"idat"))]
    for area in sorted(areas, key=lambda box: box.start):
        at = area.body
        while used and used[-1][0] < area.stop:
            start, stop = used.pop()
            if start < at or stop > area.stop:
                raise Malformed("picture over details, or outside the data")
            _fill(changed, at, start)
            at = stop
        _fill(changed, at, area.stop)
    if used:
        raise Incomplete("outside the data") if used[0][1] > file.stop else Malformed("elsewhere")


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _overwrite(changed: bytearray, item: Item, found: Findings) -> None:
    content = b"".join(bytes(changed[start:stop]) for start, stop in item.extents)
    blank = memoryview(_blanked(item.kind, content, found))
    at = 0
    for start, stop in item.extents:
        changed[start:stop] = blank[at : at + stop - start]
        at += stop - start


def _blanked(kind: bytes, content: bytes, found: Findings) -> bytes:
    """Return what takes the place of an item's content: as long, and of a form readers accept."""
    if kind == b"Exif":
        block = content[4 + int.from_bytes(content[:4]) :]
        orientation = exif.note(block.removeprefix(exif.PREFIX), found)
        # An empty Exif item (23008-12 annex A.2.1): of zeros alone decoders refuse the file. The
        # orientation counts for nothing here, yet some viewers look at it.
        turned = [] if orientation == 1 else [exif.orientation_only(orientation)]
        for block in (*turned, exif.EMPTY):
            if 4 + len(block) <= len(content):
                return bytes(4) + block.ljust(len(content) - 4, b"\0")
        return bytes(len(content))
    if kind == b"mime" and content.strip(b"\0"):
        note_xmp(content, found)
    elif content.strip(b"\0"):
        found.removed.add(Removed.OTHER)
    return bytes(len(content))
