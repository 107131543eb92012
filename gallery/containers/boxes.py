"""The box structure of AVIF and HEIC files (ISO/IEC 14496-12 §4.2), and which boxes stay."""

from dataclasses import dataclass, field

from gallery.containers.common import MAX_PARTS, Incomplete, Malformed, TooComplex, number

SAMPLE_ENTRIES = frozenset({b"av01", b"hvc1", b"hev1"})
SAMPLE_BOXES = frozenset(
    b"av1C hvcC lhvC colr pasp clap pixi ccst auxi auxC clli mdcv cclv amve btrt".split()
)
PROPERTIES = frozenset(
    b"av1C hvcC lhvC ispe pixi colr pasp clap irot imir auxC clli mdcv cclv amve "
    b"a1op a1lx lsel tols oinf rloc".split()
)

# Which boxes stay, by the box they are in. The table has no circles and is eight levels deep, and
# so is the recursion below, whatever a file says.
STAYING: dict[bytes, frozenset[bytes]] = {
    b"file": frozenset(b"ftyp meta moov mdat".split()),
    b"meta": frozenset(b"hdlr pitm iloc iinf iref iprp idat dinf grpl".split()),
    b"iinf": frozenset({b"infe"}),
    b"iref": frozenset(),
    b"iprp": frozenset(b"ipco ipma".split()),
    b"ipco": PROPERTIES,
    b"moov": frozenset(b"mvhd trak".split()),
    b"trak": frozenset(b"tkhd edts tref mdia meta".split()),
    b"mdia": frozenset(b"mdhd hdlr minf".split()),
    b"minf": frozenset(b"vmhd nmhd dinf stbl".split()),
    b"stbl": frozenset(b"stsd stts ctts stsc stsz stco co64 stss sdtp cslg sgpd sbgp".split()),
    b"stsd": SAMPLE_ENTRIES,
    **dict.fromkeys(SAMPLE_ENTRIES, SAMPLE_BOXES),
}
FIELD_BYTES = {b"meta": 4, b"iref": 4, b"iinf": 8, b"stsd": 8, **dict.fromkeys(SAMPLE_ENTRIES, 78)}

# Tables we read entry by entry: all of a file together. A phone's picture of 60 tiles needs 2 KB.
TABLES = frozenset(b"iloc iref ipma stsz stsc stco co64".split())
MAX_TABLE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """A box: `body` is where its fields begin, `stop` where it ends, in the file."""

    kind: bytes
    start: int
    body: int
    stop: int
    children: list["Box"] = field(default_factory=list)

    def all(self, *path: bytes) -> list["Box"]:
        """Return every box at `path` below this one."""
        found = [self]
        for kind in path:
            found = [child for box in found for child in box.children if child.kind == kind]
        return found

    def one(self, *path: bytes) -> "Box":
        """Return the only box at `path` below this one. Raises Malformed."""
        found = self.all(*path)
        if len(found) != 1:
            raise Malformed("not one where there must be one")
        return found[0]


class Fields:
    """Reads a box's fields one after another, never beyond it."""

    def __init__(self, data: bytes, box: Box) -> None:
        self.data, self.at, self.stop = data, box.body, box.stop

    def take(self, size: int) -> int:
        self.at += size
        if self.at > self.stop:
            raise Malformed("a field beyond its box")
        return int.from_bytes(self.data[self.at - size : self.at], "big")


class Reader:
    """Reads the boxes that stay as a tree, and notes the others."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_PARTS
        self.table_bytes_left = MAX_TABLE_BYTES
        self.unwanted: list[Box] = []

    def file(self) -> Box:
        """Return the whole file as one box, which ends with the last box that stays."""
        boxes: list[Box] = []
        at = 0
        while at < len(self.data) and not self._is_appendix(boxes, at):
            box = self._box(at, len(self.data))
            boxes += self._sorted(box, b"file")
            at = box.stop
        return Box(b"file", 0, 0, max((box.stop for box in boxes), default=0), boxes)

    def _is_appendix(self, boxes: list[Box], at: int) -> bool:
        """Return whether what begins behind the picture is another file, or no box at all."""
        kind = self.data[at + 4 : at + 8]
        if kind == b"ftyp" and boxes:  # a phone's video, appended as it is
            return True
        if kind in STAYING[b"file"]:
            return False
        try:
            self._box(at, len(self.data))
        except Malformed:
            return any(box.kind == b"meta" for box in boxes)
        return False

    def _sorted(self, box: Box, parent: bytes) -> list[Box]:
        """Return the box with its children if it stays; if not, note it, and return none."""
        self.left -= 1
        if box.kind in TABLES:
            self.table_bytes_left -= box.stop - box.start
        if self.left < 0 or self.table_bytes_left < 0:
            raise TooComplex("too many boxes, or tables too long")
        if parent == b"iref":  # of any kind, and numbers only
            return [box]
        if box.kind not in STAYING[parent]:
            self.unwanted.append(box)
            return []
        if box.kind in STAYING:
            field_bytes = FIELD_BYTES.get(box.kind, 0)
            if box.kind == b"iinf" and number(self.data, box.body, 1) == 0:
                field_bytes = 6
            at = box.body + field_bytes
            if at > box.stop:
                raise Malformed("a box shorter than its fields")
            while at < box.stop:
                child = self._box(at, box.stop)
                box.children.extend(self._sorted(child, box.kind))
                at = child.stop
        return [box]

    def _box(self, start: int, stop: int) -> Box:
        if start + 8 > stop == len(self.data):
            raise Incomplete("a box beyond the end")
        size, body = number(self.data, start, 4), start + 8
        kind = self.data[start + 4 : body]
        if size == 1:
            size, body = number(self.data, body, 8), body + 8
        end = start + size if size else stop
        if end > stop == len(self.data):
            raise Incomplete("a box beyond the end")
        if not body <= end <= stop:
            raise Malformed("a box beyond its parent")
        return Box(kind, start, body, end)
