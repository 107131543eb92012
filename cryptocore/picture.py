"""Which picture it is, whatever its lock (docs/format.md, "The picture tag").

What a reader acknowledges is told by it: plaintext tags change with the content key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from cryptocore.context import context
from cryptocore.errors import CryptoError

PICTURE_KEY_BYTES = 32


def new_picture_key() -> bytes:
    """Return 32 random bytes: one per image, sealed with it under every lock."""
    return secrets.token_bytes(PICTURE_KEY_BYTES)


def picture_tag(picture_key: bytes, pieces: Iterable[bytes]) -> bytes:
    """Return HMAC(picture key, context("picture") | the original), 32 bytes.

    Raises CryptoError if the key is not 32 bytes: keys that are padded or hashed first would let
    one tag stand for two.
    """
    if len(picture_key) != PICTURE_KEY_BYTES:
        raise CryptoError
    tag = hmac.new(picture_key, context("picture"), hashlib.sha256)
    for piece in pieces:
        tag.update(piece)
    return tag.digest()


def check_picture_tag(picture_key: bytes, tag: bytes, pieces: Iterable[bytes]) -> None:
    """Return if `tag` is the picture's, compared in constant time; raise CryptoError if not."""
    if not hmac.compare_digest(picture_tag(picture_key, pieces), tag):
        raise CryptoError
