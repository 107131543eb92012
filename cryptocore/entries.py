"""One line of a share statement or a membership statement (docs/format.md, "Share entries"):
a person, an album or a team.

The statement lists salted digests only, so that nobody's proof names the other recipients.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cryptocore import canonical
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.statements import format_time, parse_time

SALT_BYTES = 32
MAX_BYTES = 1024
TERMS = {"rights", "ends_at", "opens", "watermark"}
HOLDERS = ("person", "album", "team")

Rights = Literal["view", "download"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one holder may do: `ends_at` aware UTC or None, `opens` from 1 or None.

    `kind` says whose id `holder` is. Of an album or a team: what its members get at most.
    """

    kind: str
    holder: UUID
    rights: Rights
    ends_at: datetime | None
    opens: int | None
    watermark: bool


def encode_entry(
    *,
    holder: UUID,
    rights: str,
    kind: str = "person",
    ends_at: datetime | None = None,
    opens: int | None = None,
    watermark: bool = False,
) -> bytes:
    """Return the entry as canonical JSON; `ends_at` is aware and loses its fraction of a second.

    Raises ValueError if parse_entry() would refuse the result.
    """
    value = {
        kind: str(holder),
        "rights": rights,
        "ends_at": None if ends_at is None else format_time(ends_at),
        "opens": opens,
        "watermark": watermark,
    }
    _entry(value)
    return canonical.encode(value, max_bytes=MAX_BYTES)


def parse_entry(data: bytes) -> Entry:
    """Return the entry in `data`; raise CryptoError if it is not one."""
    value = canonical.decode(data, max_bytes=MAX_BYTES)
    try:
        return _entry(value)
    except ValueError:
        raise CryptoError from None


def new_salt() -> bytes:
    """Return 32 random bytes: without them somebody could guess the person from a digest."""
    return secrets.token_bytes(SALT_BYTES)


def entry_digest(entry: bytes, salt: bytes) -> str:
    """Return SHA-256(context("share-entry") | salt (32) | entry) in hex.

    Raises CryptoError if the salt is not 32 bytes: with another length one digest could stand
    for two entries.
    """
    if len(salt) != SALT_BYTES:
        raise CryptoError
    return hashlib.sha256(context("share-entry") + salt + entry).hexdigest()


def _entry(value: dict[str, Any]) -> Entry:
    kind = next((kind for kind in HOLDERS if value.keys() == {kind, *TERMS}), None)
    if kind is None:
        raise ValueError(f"one of {', '.join(HOLDERS)}, and exactly: {', '.join(sorted(TERMS))}")
    holder, rights, ends_at = value[kind], value["rights"], value["ends_at"]
    opens, watermark = value["opens"], value["watermark"]
    if type(holder) is not str or str(UUID(holder)) != holder:
        raise ValueError(f"{kind} is a UUID in lower case with hyphens")
    if rights not in ("view", "download"):
        raise ValueError("rights are view or download")
    if ends_at is not None and type(ends_at) is not str:
        raise ValueError("ends_at is a time or null")
    # bool is an int to Python: True would pass for 1.
    if opens is not None and (type(opens) is not int or opens < 1):
        raise ValueError("opens is a whole number from 1, or null")
    if type(watermark) is not bool:
        raise ValueError("watermark is true or false")
    end = None if ends_at is None else parse_time(ends_at)
    return Entry(kind, UUID(holder), rights, end, opens, watermark)
