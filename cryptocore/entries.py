"""One person's line in a share statement (docs/format.md, "Share entries").

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
FIELDS = {"person", "rights", "ends_at", "opens", "watermark"}

Rights = Literal["view", "download"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person may do: `ends_at` aware UTC or None, `opens` from 1 or None."""

    person: UUID
    rights: Rights
    ends_at: datetime | None
    opens: int | None
    watermark: bool


def encode_entry(
    *,
    person: UUID,
    rights: str,
    ends_at: datetime | None = None,
    opens: int | None = None,
    watermark: bool = False,
) -> bytes:
    """Return the entry as canonical JSON; `ends_at` is aware and loses its fraction of a second.

    Raises ValueError if parse_entry() would refuse the result.
    """
    value = {
        "person": str(person),
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
    if value.keys() != FIELDS:
        raise ValueError(f"exactly these fields: {', '.join(sorted(FIELDS))}")
    return Entry(
        person=_person(value["person"]),
        rights=_rights(value["rights"]),
        ends_at=_ends_at(value["ends_at"]),
        opens=_opens(value["opens"]),
        watermark=_watermark(value["watermark"]),
    )


def _person(value: Any) -> UUID:
    if type(value) is not str or str(UUID(value)) != value:
        raise ValueError("person is a UUID in lower case with hyphens")
    return UUID(value)


def _rights(value: Any) -> Rights:
    if value == "view":
        return "view"
    if value == "download":
        return "download"
    raise ValueError("rights are view or download")


def _ends_at(value: Any) -> datetime | None:
    if value is None:
        return None
    if type(value) is not str:
        raise ValueError("ends_at is a time or null")
    return parse_time(value)


def _opens(value: Any) -> int | None:
    if value is None:
        return None
    # bool is an int to Python: True would pass for 1.
    if type(value) is not int or value < 1:
        raise ValueError("opens is a whole number from 1, or null")
    return value


def _watermark(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("watermark is true or false")
    return value
