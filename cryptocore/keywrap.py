"""A key under a key: AES-256-KWP (RFC 5649, NIST SP 800-38F §6.3). Authenticated, no nonce.

Written out here from AES, because an album's next key takes it twice for each image: the library's
own makes several objects for each of its 24 steps and takes twice the time.
"""

from Crypto.Cipher import AES

from cryptocore.errors import CryptoError

KEK_BYTES = 32
# A 4096-bit private key takes 2,376 bytes and KWP is slow: nobody gets to hand us megabytes.
MAX_KEY_BYTES = 4096
HALF_BLOCK = 8
ROUNDS = 6
PREFIX = bytes.fromhex("a65959a6")  # the first half of the integrity check; the length follows


def wrap_key(key: bytes, kek: bytes) -> bytes:
    """Return `key` (1 to 4096 bytes) under `kek` (32): 8 bytes more, rounded up to a multiple of 8.

    The same key under the same KEK gives the same bytes. Raises ValueError for other sizes.
    """
    if not 1 <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"a key takes 1 to {MAX_KEY_BYTES} bytes")
    encrypt = AES.new(_require_kek(kek), AES.MODE_ECB).encrypt
    check, padded = PREFIX + len(key).to_bytes(4, "big"), key + bytes(-len(key) % HALF_BLOCK)
    if len(padded) == HALF_BLOCK:
        return encrypt(check + padded)
    halves, step = _halves(padded), 0
    for _ in range(ROUNDS):
        for place, half in enumerate(halves):
            step += 1
            block = encrypt(check + half)
            check, halves[place] = _xor(block[:HALF_BLOCK], step), block[HALF_BLOCK:]
    return check + b"".join(halves)


def unwrap_key(wrapped: bytes, kek: bytes) -> bytes:
    """Return the key inside `wrapped`; raise CryptoError if it is not one that `kek` wrapped."""
    decrypt = AES.new(_require_kek(kek), AES.MODE_ECB).decrypt
    size = len(wrapped)
    if size % HALF_BLOCK or not 2 * HALF_BLOCK <= size <= MAX_KEY_BYTES + HALF_BLOCK:
        raise CryptoError
    if size == 2 * HALF_BLOCK:
        return _key_of(decrypt(wrapped))
    check, *halves = _halves(wrapped)
    step = ROUNDS * len(halves)
    for _ in range(ROUNDS):
        for place in reversed(range(len(halves))):
            block = decrypt(_xor(check, step) + halves[place])
            check, halves[place] = block[:HALF_BLOCK], block[HALF_BLOCK:]
            step -= 1
    return _key_of(check + b"".join(halves))


def _key_of(opened: bytes) -> bytes:
    """Return the key behind an integrity check; raise CryptoError if that does not hold."""
    length, padded = int.from_bytes(opened[4:HALF_BLOCK], "big"), opened[HALF_BLOCK:]
    if opened[:4] != PREFIX or not 0 <= len(padded) - length < HALF_BLOCK or any(padded[length:]):
        raise CryptoError
    return padded[:length]


def _halves(octets: bytes) -> list[bytes]:
    return [octets[at : at + HALF_BLOCK] for at in range(0, len(octets), HALF_BLOCK)]


def _xor(half: bytes, step: int) -> bytes:
    return (int.from_bytes(half, "big") ^ step).to_bytes(HALF_BLOCK, "big")


def _require_kek(kek: bytes) -> bytes:
    # 16 bytes would quietly mean AES-128.
    if len(kek) != KEK_BYTES:
        raise ValueError(f"a KEK takes {KEK_BYTES} bytes")
    return kek
