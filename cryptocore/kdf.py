"""Keys from keys: HKDF-SHA256 (RFC 5869). Never from a password: see passwords.py."""

from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

KEY_BYTES = 32


def derive_key(secret: bytes, info: bytes, *, salt: bytes = b"") -> bytes:
    """Return 32 bytes derived from `secret` for the one purpose that `info` names.

    `secret` is already hard to guess; `info` comes from context(). An empty salt is
    32 zero bytes (RFC 5869 §2.2). Raises ValueError if `secret` is empty.
    """
    if not secret:
        raise ValueError("nothing to derive a key from")
    return HKDF(secret, KEY_BYTES, salt, SHA256, context=info)
