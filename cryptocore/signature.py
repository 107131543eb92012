"""RSA-PSS with SHA-256, MGF1-SHA-256 and 32 bytes of salt (RFC 8017 §8.1)."""

from Crypto.Hash import SHA256
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Signature import pss

from cryptocore.errors import CryptoError

SALT_BYTES = 32


def sign(message: bytes, private_key: RsaKey) -> bytes:
    """Return a signature as long as the modulus: 384 bytes for 3072 bits.

    `message` begins with a context(). Two signatures of one message differ (random salt).
    """
    return pss.new(private_key, salt_bytes=SALT_BYTES).sign(SHA256.new(message))


def verify(message: bytes, signature: bytes, public_key: RsaKey) -> None:
    """Return if `signature` is `message`'s under `public_key`; raise CryptoError if not."""
    try:
        pss.new(public_key, salt_bytes=SALT_BYTES).verify(SHA256.new(message), signature)
    except ValueError:
        raise CryptoError from None
