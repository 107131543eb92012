"""Keys from passwords: Argon2id, version 1.3 (RFC 9106)."""

import secrets
import unicodedata
from dataclasses import dataclass

from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw

from cryptocore.errors import CryptoError

KEY_BYTES = 32
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one guess costs. Read from a row, so the caller enforces a floor and a ceiling."""

    time_cost: int
    memory_kib: int
    parallelism: int


def new_salt() -> bytes:
    """Return 16 random bytes, the size RFC 9106 §3.1 recommends."""
    return secrets.token_bytes(SALT_BYTES)


def normalise(password: str) -> str:
    """Return `password` in Unicode's NFC and otherwise untouched.

    The same password typed on macOS (NFD) and on Windows (NFC) is two byte strings: without
    this, two keys, and a person locked out for ever.
    """
    return unicodedata.normalize("NFC", password)


def stretch(password: str, *, salt: bytes, cost: Argon2Cost) -> bytes:
    """Return 32 bytes derived from the NFC form of `password`, in UTF-8.

    Takes as long and as much memory as `cost` says. Raises CryptoError if Argon2 refuses the
    cost or the salt (shorter than 8 bytes), or if the password is not Unicode text.
    """
    try:
        return hash_secret_raw(
            secret=normalise(password).encode("utf-8"),
            salt=salt,
            time_cost=cost.time_cost,
            memory_cost=cost.memory_kib,
            parallelism=cost.parallelism,
            hash_len=KEY_BYTES,
            type=Type.ID,
            version=ARGON2_VERSION,
        )
    # OverflowError: a cost that does not fit Argon2's 32 bits.
    except (HashingError, UnicodeEncodeError, OverflowError):
        raise CryptoError from None
