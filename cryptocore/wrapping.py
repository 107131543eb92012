"""A secret for one key pair: RSA-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017 §7.1)."""

from Crypto.Cipher import oaep
from Crypto.Hash import SHA256
from Crypto.PublicKey.RSA import RsaKey

from cryptocore.errors import CryptoError


def wrap(secret: bytes, public_key: RsaKey, *, label: bytes) -> bytes:
    """Return `secret` wrapped to `public_key`: as long as the modulus, 384 bytes for 3072 bits.

    `label` is the context() of the one place where it may be unwrapped. Raises ValueError if
    the secret is longer than 318 bytes (RFC 8017 §7.1.1, for 3072 bits).
    """
    return oaep.new(public_key, hashmod=SHA256, label=label).encrypt(secret)


def unwrap(wrapped: bytes, private_key: RsaKey, *, label: bytes) -> bytes:
    """Return the secret inside `wrapped`; anybody may have made it, of any length.

    Raises CryptoError for every failure alike: telling one from another is what Manger's
    attack on OAEP lives on (CRYPTO 2001).
    """
    cipher = oaep.new(private_key, hashmod=SHA256, label=label)
    try:
        return cipher.decrypt(wrapped)
    except ValueError:
        raise CryptoError from None
