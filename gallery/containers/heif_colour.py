"""What AVIF and HEIC files say of their colours (ISO/IEC 14496-12 §12.1.5, 23008-12 §6.5.5)."""

from gallery.containers import colours, icc
from gallery.containers.associations import properties_of
from gallery.containers.boxes import Box
from gallery.containers.common import Colour, Findings, number
from gallery.containers.items import parts_of, primary

NAMED = b"nclx"
NAMED_BYTES = 4 + 2 + 2 + 2 + 1
PROFILES = (b"prof", b"rICC")
SRGB = (1, 13)


def clean(changed: bytearray, boxes: list[Box], found: Findings) -> dict[int, Colour]:
    """Leave of boxes about colours what colour needs, as long as they are; return what each says.

    By where a box starts. One that says nothing becomes a free box.
    """
    told = {}
    for box in boxes:
        kind, content = bytes(changed[box.body : box.body + 4]), b""
        if kind == NAMED and box.stop - box.body >= NAMED_BYTES:
            content = bytes(changed[box.body : box.body + NAMED_BYTES])
            told[box.start] = Colour(cicp=_usable(number(content, 4, 2), number(content, 6, 2)))
        elif kind in PROFILES:
            kept = icc.taken(
                bytes(changed[box.body + 4 : box.stop]), found, box.stop - box.body - 4
            )
            if kept is not None:
                content = kind + kept
                told[box.start] = found.colour
        if not content:
            changed[box.start + 4 : box.start + 8] = b"free"
        changed[box.body : box.stop] = content.ljust(box.stop - box.body, b"\0")
    return told


def _usable(primaries: int, transfer: int) -> tuple[int, int]:
    """Return the two, each replaced by sRGB's where nobody knows it; and a camera's curve by the
    one of pictures, as Chromium has it here (in PNG it does not)."""
    as_pictures = transfer in colours.TELEVISION or transfer not in colours.KNOWN_TRANSFERS
    return (
        primaries if primaries in colours.PRIMARIES else SRGB[0],
        SRGB[1] if as_pictures else transfer,
    )


def of_picture(data: bytes, meta: Box) -> list[Box]:
    """Return the properties that define the colours of the file's picture, or of its first tile."""
    item = primary(data, meta)
    for candidate in (item, *parts_of(data, meta).get(item, ())[:1]):
        properties = properties_of(data, meta, candidate)
        if any(box.kind == b"colr" for box in properties):
            return properties
    return []


def chosen(
    data: bytes, properties: list[Box], told: dict[int, Colour], coded: tuple[int, int] | None
) -> Colour:
    """Return what counts: a profile, then a box of names, then what the coded picture says."""
    said = [told[box.start] for box in properties if box.start in told]
    profiles = [colour for colour in said if colour.profile]
    if profiles:
        return profiles[0]
    peaks = [number(data, box.body, 2) for box in properties if box.kind == b"clli"]
    named = [colour.cicp for colour in said] or ([_usable(*coded)] if coded else [])
    return Colour(cicp=named[0], peak_nits=(peaks or [0])[0] or None) if named else Colour()
