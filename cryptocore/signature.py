"""RSA-PSS with SHA-256, MGF1-SHA-256 and 32 bytes of salt (RFC 8017 §8.1)."""

from Crypto.Hash import SHA256
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Signature import pss

from cryptocore.errors import CryptoError

SALT_BYTES = 32

# Signatures that verified: digest of the message, signature, modulus, exponent. All of it is
# public, and the same four always verify again, so that a page of sixty images, whose statements
# are those of the last visit, does no RSA. An altered one is another, and goes the long way.
REMEMBERED = 4096
_proven: set[tuple[bytes, bytes, int, int]] = set()


def sign(message: bytes, private_key: RsaKey) -> bytes:
    """Return a signature as long as the modulus: 384 bytes for 3072 bits.

    `message` begins with a context(). Two signatures of one message differ (random salt).
    """
    return pss.new(private_key, salt_bytes=SALT_BYTES).sign(SHA256.new(message))


def verify(message: bytes, signature: bytes, public_key: RsaKey) -> None:
    """Return if `signature` is `message`'s under `public_key`; raise CryptoError if not."""
    signed = SHA256.new(message)
    proof = (signed.digest(), signature, int(public_key.n), int(public_key.e))
    if proof in _proven:
        return
    try:
        pss.new(public_key, salt_bytes=SALT_BYTES).verify(signed, signature)
    except ValueError:
        raise CryptoError from None
    if len(_proven) >= REMEMBERED:
        _proven.clear()
    _proven.add(proof)
