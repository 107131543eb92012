"""HMAC-SHA256 (RFC 2104): a tag that only holders of the same key can make."""

import hashlib
import hmac
import secrets

from cryptocore.errors import CryptoError

MAC_KEY_BYTES = 32
TAG_BYTES = 32


def new_mac_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(MAC_KEY_BYTES)


def mac(message: bytes, key: bytes) -> bytes:
    """Return the 32-byte tag of `message`, which begins with a context().

    Raises ValueError if `key` is empty: everybody has that one.
    """
    if not key:
        raise ValueError("an empty key makes no tag")
    return hmac.digest(key, message, hashlib.sha256)


def check_mac(message: bytes, tag: bytes, key: bytes) -> None:
    """Return if `tag` is `message`'s under `key`; raise CryptoError if not.

    Compares in constant time, so a forger learns nothing from how long it takes.
    """
    if not hmac.compare_digest(mac(message, key), tag):
        raise CryptoError
