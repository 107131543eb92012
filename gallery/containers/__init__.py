"""Image files as containers: what they are, how large they are, and what in them gives people away.

Reads headers and takes details out without decoding a pixel, so nothing of the picture changes.
Pure functions over bytes that may come from an attacker: every length is checked against what is
there, no loop is longer than the file and no recursion deeper than a table of ours, and whatever
does not add up is Malformed.

Kept: pixels, what tells their colours, orientation, animation. Everything else is left out, by
lists of what may stay rather than of what must go. What is hidden *inside* coded pixels stays.

A frame that is slightly broken is mended where everything of the picture is there: then it is what
browsers show, and is told among what was removed (Removed.FAULTS).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gallery.containers import gif, isobmff, jpeg, png, webp
from gallery.containers.common import Colour, Findings, Malformed

__all__ = ["Cleaned", "Malformed", "clean", "format_of", "unsupported_format_of"]

WALKS: dict[str, Callable[[bytes], Findings]] = {
    "JPEG": jpeg.walk,
    "PNG": png.walk,
    "GIF": gif.walk,
    "WEBP": webp.walk,
    "AVIF": isobmff.walk,
    "HEIC": isobmff.walk,
}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file without its details, and what it says of itself.

    Width and height are the largest any of its headers states, before orientation;
    `work_pixels` is how many pixels have to be gone over to show all of it once.
    """

    format: str
    data: bytes = field(repr=False)
    width: int
    height: int
    frames: int
    work_pixels: int
    orientation: int
    colour: Colour
    ended: bool  # not: an end was missing; whether all of the picture is there a decoder must tell
    last_scan: tuple[int, int] | None  # where the data of a JPEG's last scan lies, and may end
    captured_at: str | None
    removed: tuple[str, ...]


def format_of(data: bytes) -> str | None:
    """Return the format the content begins as, whatever the file was called, or None."""
    if data.startswith(jpeg.MAGIC):
        return "JPEG"
    if data.startswith(png.MAGIC):
        return "PNG"
    if data.startswith(gif.MAGIC):
        return "GIF"
    if data.startswith(webp.RIFF) and data[8:12] == webp.MAGIC:
        return "WEBP"
    return isobmff.brand(data)


# TIFF, which most raw files are; BigTIFF; TIFF under a maker's number (Olympus, Panasonic, Leica);
# Fujifilm, Phase One, Canon's CRW (CR3 is a box file), Sigma, Minolta.
RAW_MAGIC = (
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
    b"IIRO", b"IIRS", b"MMOR", b"MMSR", b"IIU\0",
    b"FUJIFILMCCD-RAW", b"IIIITwaR", b"IIIICwaR", b"MMMMRawT",
    b"II\x1a\0\0\0HEAPCCDR", b"FOVb", b"\0MRM",
)  # fmt: skip


def unsupported_format_of(data: bytes) -> str | None:
    """Return "TIFF" (camera raw files, too), "DICOM" or None: for the refusal."""
    if data.startswith(RAW_MAGIC) or data[4:12] == b"ftypcrx ":
        return "TIFF"
    return "DICOM" if data[128:132] == b"DICM" else None


def clean(data: bytes) -> Cleaned:
    """Return the file without its details.

    Raises Malformed: cut short, contradictory, or of no format we know.
    """
    kind = format_of(data)
    if kind is None:
        raise Malformed("no format we know")
    found = WALKS[kind](data)
    if not (found.width and found.scans):
        raise Malformed("no picture")
    pixels = found.width * found.height
    cleaned = b"".join(found.parts)
    if cleaned == data:
        cleaned = data  # held once
    return Cleaned(
        format=kind,
        data=cleaned,
        width=found.width,
        height=found.height,
        frames=found.frames,
        work_pixels=max(pixels * found.frames * found.scans, found.work_pixels),
        orientation=found.orientation,
        colour=found.colour,
        ended=found.ended,
        last_scan=found.last_scan,
        captured_at=found.captured_at,
        removed=tuple(sorted(found.removed)),
    )
