"""Unambiguous names for what a key, tag or signature is for (docs/format.md, "Contexts")."""

import re
from uuid import UUID

from cryptocore.errors import CryptoError

PREFIX = b"imageshare/v1/"
DIGEST_BYTES = 32
PURPOSE = re.compile(r"[a-z0-9]+(?:[-/][a-z0-9]+)*")


def context(purpose: str, *fields: UUID | int | bytes) -> bytes:
    """Return `imageshare/v1/<purpose> | 0x00 | fields`: every HKDF info, OAEP label and MAC prefix.

    A UUID takes 16 bytes, an int 4 bytes big-endian, bytes are exactly 32 (a digest). All
    widths are fixed, so two lists of fields of one purpose never give the same bytes; a
    purpose always takes the same kinds of field in the same order.
    Raises CryptoError for a number or bytes of another width: a row may hold any. ValueError or
    TypeError for a purpose or a type outside these rules: those are ours.
    """
    if not PURPOSE.fullmatch(purpose):
        raise ValueError("a purpose is lower-case words joined by - or /")
    return PREFIX + purpose.encode("ascii") + b"\x00" + b"".join(map(_fixed_width, fields))


def _fixed_width(field: UUID | int | bytes) -> bytes:
    if isinstance(field, UUID):
        return field.bytes
    if isinstance(field, bytes):
        fits, octets = len(field) == DIGEST_BYTES, field
    elif type(field) is int:
        fits = 0 <= field < 2**32
        octets = field.to_bytes(4, "big") if fits else b""
    else:
        raise TypeError("a field is a UUID, an int, or bytes")
    if not fits:
        raise CryptoError
    return octets
