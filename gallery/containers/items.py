"""The items of AVIF and HEIC files (HEIF, ISO/IEC 23008-12): what, where, how large, built of what.

A picture may be built of others, tiles of a grid above all. Nothing in the format bounds that: a
file of 9 KB whose grids share their tiles, ten levels deep, keeps a decoder busy for minutes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gallery.containers.associations import associations
from gallery.containers.boxes import Box, Fields
from gallery.containers.common import Malformed, NotTaken, TooComplex, number

# Items that are picture; what others hold is overwritten. `iovl` and `iden` build a picture from
# others, each as often as they like: no camera writes them, and they cost a reader what they like.
PICTURES = {b"av01", b"hvc1", b"hev1", b"lhv1", b"grid", b"tmap"}
REFUSED = {b"iovl", b"iden"}

# A phone's picture of 200 million pixels has 800 tiles; each may have a layer of transparency.
MAX_OPENED = 2_000

Range = tuple[int, int]  # start and stop in the file
Size = tuple[int, int]
Parts = Mapping[int, list[int]]


class Item(NamedTuple):
    """One item of a `meta` box: a picture, a tile of one, or details about it."""

    kind: bytes
    extents: list[Range]

    def content(self, data: bytes) -> bytes:
        return b"".join(data[start:stop] for start, stop in self.extents)


def items_of(data: bytes, meta: Box) -> list[Item]:
    """Return the items of a `meta` box that have a place. Raises Malformed."""
    kinds = dict(_kind(data, entry) for entry in meta.one(b"iinf").children)
    if REFUSED & set(kinds.values()):
        raise NotTaken("a picture built of pictures")
    inner = meta.all(b"idat")
    places = _places(Fields(data, meta.one(b"iloc")), inner[0].body if inner else None)
    return [Item(kinds.get(item, b""), extents) for item, extents in places]


def _kind(data: bytes, entry: Box) -> tuple[int, bytes]:
    """Return id and kind (ISO/IEC 14496-12 §8.11.6; of versions before 2 nobody has any)."""
    fields = Fields(data, entry)
    version = fields.take(4) >> 24
    if version not in (2, 3):
        raise NotTaken("an item without a kind")
    item = fields.take(2 if version == 2 else 4)
    fields.take(2)
    return item, fields.take(4).to_bytes(4)


# ---- where -----------------------------------------------------------------------------------


def _places(fields: Fields, inner: int | None) -> Iterator[tuple[int, list[Range]]]:
    """Yield id and extents of every item (ISO/IEC 14496-12 §8.11.3)."""
    version = fields.take(4) >> 24
    if version > 2:
        raise NotTaken("a table of another version")
    widths = fields.take(2)
    base_width, index_width = widths >> 4 & 15, widths & 15 if version else 0
    id_width = 4 if version == 2 else 2
    for _ in range(fields.take(id_width)):
        item, method = fields.take(id_width), fields.take(2) & 15 if version else 0
        if fields.take(2) or method > 1:
            raise NotTaken("a place in another file, or in another item")
        origin = fields.take(base_width)
        if method:
            if inner is None:
                raise Malformed("a place in a box that is not there")
            origin += inner
        yield item, list(_extents(fields, origin, (index_width, widths >> 12, widths >> 8 & 15)))


def _extents(fields: Fields, origin: int, widths: tuple[int, int, int]) -> Iterator[Range]:
    count = fields.take(2)
    if count and not widths[2]:
        raise Malformed("extents without lengths")
    for _ in range(count):
        _index, offset, length = (fields.take(width) for width in widths)
        if not length:
            raise Malformed("an extent of unknown length")
        yield origin + offset, origin + offset + length


# ---- how large -------------------------------------------------------------------------------


def grid_size(content: bytes) -> Size:
    """Return the size a grid states of itself (23008-12 §6.6.2.3.2), which `ispe` may not match."""
    width = 4 if number(content, 1, 1) & 1 else 2
    return number(content, 4, width), number(content, 4 + width, width)


def work_pixels(data: bytes, meta: Box) -> int:
    """Return how many pixels are gone over to show the file's picture, all it is built of."""
    numbered = enumerate(meta.one(b"iprp", b"ipco").children, start=1)
    stated = {index: extent(data, box) for index, box in numbered if box.kind == b"ispe"}
    sizes: dict[int, Size] = {}  # by item (23008-12 §9.3.1)
    for table in meta.all(b"iprp", b"ipma"):
        for item, index in associations(data, table):
            if index in stated:
                sizes[item] = stated[index]
    pixels = 0
    for item, times in _opened(data, meta).items():
        if item not in sizes:
            raise Malformed("a picture without a size")
        width, height = sizes[item]
        pixels += times * width * height
    return pixels


def extent(data: bytes, ispe: Box) -> Size:
    """Return what an `ispe` states (23008-12 §6.5.3)."""
    return number(data, ispe.body + 4, 4), number(data, ispe.body + 8, 4)


# ---- built of what ---------------------------------------------------------------------------


def _opened(data: bytes, meta: Box) -> Counter[int]:
    """Return how often each item is opened to show the primary one. Raises Malformed.

    Layer by layer from the primary item down, as a reader without memory does it; in a circle the
    sum grows over its limit.
    """
    parts = parts_of(data, meta)
    opened: Counter[int] = Counter()
    layer = Counter([primary(data, meta)])
    while layer:
        opened += layer
        if opened.total() > MAX_OPENED:
            raise TooComplex("a picture built of too many")
        below: Counter[int] = Counter()
        for item, times in layer.items():
            for part in parts.get(item, ()):
                below[part] += times
        layer = below
    return opened


def primary(data: bytes, meta: Box) -> int:
    fields = Fields(data, meta.one(b"pitm"))
    return fields.take(4 if fields.take(4) >> 24 else 2)


def parts_of(data: bytes, meta: Box) -> Parts:
    """Return what each item is built of (`dimg`), and the layers that belong to it (`auxl`)."""
    parts: defaultdict[int, list[int]] = defaultdict(list)
    for table in meta.all(b"iref"):
        width = 4 if number(data, table.body, 1) else 2
        for box in table.children:
            fields = Fields(data, box)
            item = fields.take(width)
            others = [fields.take(width) for _ in range(fields.take(2))]
            if box.kind == b"dimg":
                parts[item] += others
            elif box.kind == b"auxl":
                for other in others:
                    parts[other].append(item)
    return parts
