"""Colour profiles (ICC.1:2022): a new one is made of only what colour needs.

Profiles of screens name their owner, their serial number and the minute they were made in;
others carry a megabyte of measurements. A profile that does not add up counts as none, as in
browsers.
"""

from gallery.containers.common import Colour, Findings, Malformed, Removed, number

# Profiles of presses reach 3 MB. Chromium's PNG reader stops at the same figure.
MAX_PROFILE_BYTES = 8_000_000
MAX_TAGS = 100
HEADER_BYTES, TAG_BYTES, MAGIC_AT = 128, 12, 36

# Version, class, colour spaces, magic, intent and illuminant; not the date, nor whose screen or
# program it was.
KEPT_OF_HEADER = ((8, 24), (36, 40), (64, 80))
# Both directions of a table: a reader that demands all tags of a profile's class asks for both.
COLOUR_TAGS = frozenset(
    b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad cicp A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 "
    b"D2B0 D2B1 D2B2 D2B3 B2D0 B2D1 B2D2 B2D3 gamt".split()
)
# Every profile must have these two. Nobody is named in ours.
NAME_TAG, RIGHTS_TAG = b"desc", b"cprt"
NAME, RIGHTS = "icc", "-"

CICP, RGB = b"cicp", b"RGB "


def minimal(profile: bytes, room: int = MAX_PROFILE_BYTES) -> bytes | None:
    """Return a profile that means the same colours and says nothing else; None if it is none.

    If there is only `room` for so many bytes, it may be without the two names.
    """
    try:
        tags = _tags(profile)
        kept = {tag: _trimmed(body) for tag, body in tags.items() if tag in COLOUR_TAGS}
    except Malformed:
        return None
    if not kept:
        return None
    header = bytearray(HEADER_BYTES)
    for start, stop in KEPT_OF_HEADER:
        header[start:stop] = profile[start:stop]
    text = _unicode_text if header[8] >= 4 else _plain_text
    ours = {NAME_TAG: text(NAME_TAG, NAME), RIGHTS_TAG: text(RIGHTS_TAG, RIGHTS)}
    forms = (written(header, ours | kept), written(header, kept))
    return next((form for form in forms if len(form) <= room), None)


def taken(profile: bytes, found: Findings, room: int = MAX_PROFILE_BYTES) -> bytes | None:
    """Return what stays of a file's profile, and note what it says and what went."""
    kept = minimal(profile, room)
    if kept is None:
        found.removed.add(Removed.PROFILE)
        return None
    if kept != profile[: len(kept)] or any(profile[len(kept) :]):
        found.removed.add(Removed.PROFILE_DETAILS)
    found.colour = Colour(profile=kept, cicp=cicp_of(kept))
    return kept


def is_for_rgb(profile: bytes) -> bool:
    return profile[16:20] == RGB


def cicp_of(profile: bytes) -> tuple[int, int] | None:
    """Return primaries and transfer (ITU-T H.273) of a minimal profile that says them so."""
    body = _tags(profile).get(CICP, b"")
    return (body[8], body[9]) if len(body) >= 12 else None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the tags of a profile (§7.3). Raises Malformed."""
    size = number(profile, 0, 4)
    count = number(profile, HEADER_BYTES, 4)
    if not HEADER_BYTES < size <= min(len(profile), MAX_PROFILE_BYTES) or count > MAX_TAGS:
        raise Malformed("a profile of another size")
    if profile[MAGIC_AT : MAGIC_AT + 4] != b"acsp":
        raise Malformed("no profile")
    tags: dict[bytes, bytes] = {}
    for entry in range(count):
        at = HEADER_BYTES + 4 + TAG_BYTES * entry
        start, length = number(profile, at + 4, 4), number(profile, at + 8, 4)
        if length < 4 or start + length > size:
            raise Malformed("a tag beyond its profile")
        tags.setdefault(profile[at : at + 4], profile[start : start + length])
    return tags


def _trimmed(body: bytes) -> bytes:
    """Return a tag without what lies behind its fields, where something may be hidden."""
    kind = body[:4]
    if kind in (b"XYZ ", b"cicp"):
        return body[: 20 if kind == b"XYZ " else 12]
    if kind == b"sf32":
        return body[: 8 + 4 * 9]
    if kind == b"curv":
        return body[: 12 + 2 * number(body, 8, 4)]
    if kind == b"para":
        parameters = (1, 3, 4, 5, 7)
        form = number(body, 8, 2)
        return body[: 12 + 4 * parameters[form]] if form < len(parameters) else body
    if kind in (b"mft1", b"mft2"):
        return body[: _table_bytes(body)]
    return body


def _table_bytes(body: bytes) -> int:
    """Return how long a `lut8Type` or `lut16Type` is (§10.10, §10.11)."""
    inputs, outputs, grid = (number(body, at, 1) for at in (8, 9, 10))
    if inputs > 4:  # no picture has more channels, and their power is a number without end
        raise Malformed("a table of too many channels")
    cells: int = grid**inputs * outputs
    if body[:4] == b"mft1":
        return 48 + 256 * inputs + cells + 256 * outputs
    return 52 + 2 * (number(body, 48, 2) * inputs + cells + number(body, 50, 2) * outputs)


def written(header: bytearray, tags: dict[bytes, bytes]) -> bytes:
    """Return a profile of these tags; equal ones lie there once, as curves mostly do."""
    at = HEADER_BYTES + 4 + TAG_BYTES * len(tags)
    places: dict[bytes, int] = {}
    table, bodies = len(tags).to_bytes(4), b""
    for tag, body in tags.items():
        if body not in places:
            places[body] = at + len(bodies)
            bodies += body.ljust(len(body) + -len(body) % 4, b"\0")
        table += tag + places[body].to_bytes(4) + len(body).to_bytes(4)
    header[:4] = (at + len(bodies)).to_bytes(4)
    return bytes(header) + table + bodies


def _plain_text(tag: bytes, text: str) -> bytes:
    """Return `textDescriptionType` or `textType`, as profiles before version 4 have it."""
    plain = text.encode() + b"\0"
    if tag == RIGHTS_TAG:
        return b"text" + bytes(4) + plain
    return b"desc" + bytes(4) + len(plain).to_bytes(4) + plain + bytes(4 + 4 + 2 + 1 + 67)


def _unicode_text(tag: bytes, text: str) -> bytes:
    """Return `multiLocalizedUnicodeType` (§10.15) of one text."""
    coded = text.encode("utf-16-be")
    head = (1).to_bytes(4) + (12).to_bytes(4) + b"enUS" + len(coded).to_bytes(4)
    return b"mluc" + bytes(4) + head + (28).to_bytes(4) + coded
