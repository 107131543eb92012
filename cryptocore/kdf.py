"""Keys from keys: HKDF-SHA256 (RFC 5869). Never from a password: see passwords.py."""

from cryptocore.mac import mac

NO_SALT = bytes(32)  # RFC 5869 §2.2
LAST_BLOCK = b"\x01"  # the first block is the last: 32 bytes are all that is ever derived


def derive_key(secret: bytes, info: bytes, *, salt: bytes = b"") -> bytes:
    """Return 32 bytes derived from `secret` for the one purpose that `info` names.

    `secret` is already hard to guess; `info` comes from context(). An empty salt is
    32 zero bytes (RFC 5869 §2.2). Raises ValueError if `secret` is empty.
    """
    if not secret:
        raise ValueError("nothing to derive a key from")
    return mac(info + LAST_BLOCK, mac(secret, salt or NO_SALT))
