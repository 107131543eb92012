"""What the walks through image files share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

# Segments, chunks, blocks or boxes in one file. A camera writes hundreds, the longest animation
# we take some thousands; millions of empty ones only cost time.
MAX_PARTS = 250_000

Part = TypeVar("Part")
Bytes = bytes | bytearray | memoryview


class Malformed(Exception):
    """The file does not add up: its parts contradict each other, or a checksum fails."""


class Incomplete(Malformed):
    """The file ends, or a part of it, before its picture does."""


class TooComplex(Malformed):
    """The file is made of more parts than any picture of a camera or a program."""


class Entangled(Malformed):
    """Other bytes are mixed with the picture, which is too large to part them."""


class NotTaken(Malformed):
    """The file may be in order; it uses a part of its format that we, or browsers, do not."""


class Removed:
    """Short words for what was left out; stored in descriptions, so they never change."""

    LOCATION = "location"
    CAMERA = "camera"
    TIME = "time"
    THUMBNAIL = "thumbnail"
    XMP = "xmp"
    IPTC = "iptc"
    COMMENTS = "comments"
    OTHER_PICTURES = "other-pictures"
    VIDEO = "video"
    CREDENTIALS = "content-credentials"
    PROFILE_DETAILS = "profile-details"
    PROFILE = "profile"
    TRAILING_BYTES = "trailing-bytes"
    FAULTS = "faults"  # of the frame, mended: the picture is the same to the last pixel
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Colour:
    """What a file says its numbers mean. Where it says so in several ways, a walk has chosen.

    `cicp` is primaries and transfer (ITU-T H.273) and comes before the profile that may have said
    it; `gamma` and `chromaticities` (white, red, green, blue) are PNG's.
    """

    profile: bytes | None = None
    cicp: tuple[int, int] | None = None
    peak_nits: float | None = None
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None


@dataclass(slots=True)
class Findings:
    """What a walk finds, and the parts of the file that stay."""

    parts: list[bytes | memoryview] = field(default_factory=list)
    width: int = 0
    height: int = 0
    frames: int = 1
    scans: int = 1  # how often every pixel of a frame is gone over
    work_pixels: int = 0  # of a picture that is built of others: of all of them
    orientation: int = 1
    colour: Colour = field(default_factory=Colour)
    ended: bool = True  # not: an end was missing, and whether all is there a decoder must tell
    last_scan: tuple[int, int] | None = None  # of a JPEG: where in what stays its data lies
    captured_at: str | None = None
    removed: set[str] = field(default_factory=set)

    def see_size(self, width: int, height: int) -> None:
        """Note a stated size. The largest counts: a decoder may follow any of them."""
        if not (width and height):
            raise Malformed("no pixels")
        self.width, self.height = max(self.width, width), max(self.height, height)


def bounded(parts: Iterable[Part], limit: int = MAX_PARTS) -> Iterator[Part]:
    """Yield `parts`; raise Malformed instead of more than `limit`."""
    remaining = iter(parts)
    yield from islice(remaining, limit)
    for _ in remaining:
        raise TooComplex("too many parts")


def number(data: Bytes, at: int, size: int, order: Literal["big", "little"] = "big") -> int:
    """Return the unsigned integer of `size` bytes at `at`. Raises Malformed beyond the end."""
    if not 0 <= at <= len(data) - size:
        raise Malformed("a number beyond the end")
    return int.from_bytes(data[at : at + size], order)


def note_xmp(packet: bytes | memoryview, found: Findings) -> None:
    found.removed.add(Removed.XMP)
    if b"GPSL" in bytes(packet):  # exif:GPSLatitude, exif:GPSLongitude
        found.removed.add(Removed.LOCATION)
