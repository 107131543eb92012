"""A key under a key: AES-256-KWP (RFC 5649, NIST SP 800-38F §6.3). Authenticated, no nonce."""

from Crypto.Cipher import AES

from cryptocore.errors import CryptoError

KEK_BYTES = 32
# A 4096-bit private key takes 2,376 bytes and KWP is slow: nobody gets to hand us megabytes.
MAX_KEY_BYTES = 4096


def wrap_key(key: bytes, kek: bytes) -> bytes:
    """Return `key` (1 to 4096 bytes) under `kek` (32): 8 bytes more, rounded up to a multiple of 8.

    The same key under the same KEK gives the same bytes. Raises ValueError for other sizes.
    """
    if not 1 <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"a key takes 1 to {MAX_KEY_BYTES} bytes")
    return AES.new(_require_kek(kek), AES.MODE_KWP).seal(key)


def unwrap_key(wrapped: bytes, kek: bytes) -> bytes:
    """Return the key inside `wrapped`; raise CryptoError if it is not one that `kek` wrapped."""
    cipher = AES.new(_require_kek(kek), AES.MODE_KWP)
    if len(wrapped) > MAX_KEY_BYTES + 8:
        raise CryptoError
    try:
        return cipher.unseal(wrapped)
    except ValueError:
        raise CryptoError from None


def _require_kek(kek: bytes) -> bytes:
    # 16 bytes would quietly mean AES-128.
    if len(kek) != KEK_BYTES:
        raise ValueError(f"a KEK takes {KEK_BYTES} bytes")
    return kek
