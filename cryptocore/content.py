"""A rendition at rest: `IV (16) | AES-256-CBC ciphertext` (docs/format.md, "Content").

CBC by itself notices no change. What protects the bytes is the signed manifest with their
SHA-256 and length, checked before anything here decrypts them, and its key commitment.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from io import BytesIO
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad
from Crypto.Util.strxor import strxor

from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.mac import check_mac, mac

CONTENT_KEY_BYTES = 32
BLOCK_BYTES = AES.block_size
END_BYTES = 2 * BLOCK_BYTES  # what tells the length of the plaintext
# Fastest where a piece and its copy stay in the processor's cache; a multiple of the block.
PIECE_BYTES = 256 * 1024


def new_content_key() -> bytes:
    """Return 32 random bytes: one per image and lock."""
    return secrets.token_bytes(CONTENT_KEY_BYTES)


def encrypt(plaintext: bytes, content_key: bytes) -> bytes:
    """Return `IV (16) | AES-256-CBC ciphertext`, PKCS#7 padded: 17 to 32 bytes longer.

    The IV is new and random at every call. Raises ValueError for a key of another size.
    """
    if len(content_key) != CONTENT_KEY_BYTES:
        raise ValueError(f"a content key takes {CONTENT_KEY_BYTES} bytes")
    return _encrypt_under_iv(plaintext, content_key, secrets.token_bytes(BLOCK_BYTES))


def encrypt_and_tag(
    pieces: Iterable[bytes], content_key: bytes, *, rendition: str
) -> tuple[bytes, bytes]:
    """Return what encrypt() and plaintext_tag() return of the pieces joined.

    Each piece is asked for once, when the one before is encrypted: the plaintext is never whole.
    """
    tag, iv = tagging(content_key, rendition), secrets.token_bytes(BLOCK_BYTES)

    def tagged() -> Iterator[bytes]:
        for piece in pieces:
            tag.update(piece)
            yield piece

    return _joined(_encrypted(tagged(), content_key, iv)), tag.digest()


def decrypt(stored: bytes, content_key: bytes) -> bytes:
    """Return the plaintext of `stored`, whole. Raises CryptoError.

    The caller's duty is decrypt_pieces()'s.
    """
    return b"".join(decrypt_pieces(stored, content_key))


def decrypt_pieces(stored: bytes, content_key: bytes) -> Iterator[bytes]:
    """Return the plaintext of `stored`, piece by piece. Raises CryptoError.

    Only call it on bytes whose signed length and digest were verified: the padding is all it
    can check, and an answer to chosen ciphertexts is a padding oracle (Vaudenay, EUROCRYPT 2002).
    """
    length = plaintext_length(len(stored), stored[-END_BYTES:], content_key)
    pieces = (stored[at : at + PIECE_BYTES] for at in range(0, len(stored), PIECE_BYTES))
    return decrypt_part(pieces, content_key, skip=0, length=length)


def plaintext_length(stored_length: int, end: bytes, content_key: bytes) -> int:
    """Return how long the plaintext of so many stored bytes is: one block's work.

    `end` are their last 32 bytes; the caller's duty is decrypt_pieces()'s. Checks all that can be
    wrong: lengths, the size of the key, the padding. Raises CryptoError.
    """
    _require_content_key(content_key)
    if stored_length < END_BYTES or stored_length % BLOCK_BYTES or len(end) != END_BYTES:
        raise CryptoError
    cipher = AES.new(content_key, AES.MODE_CBC, iv=end[:BLOCK_BYTES])
    try:
        last = unpad(cipher.decrypt(end[BLOCK_BYTES:]), BLOCK_BYTES)
    except ValueError:
        raise CryptoError from None
    return stored_length - END_BYTES + len(last)


def decrypt_part(
    pieces: Iterable[bytes], content_key: bytes, *, skip: int, length: int
) -> Iterator[bytes]:
    """Yield `length` bytes of plaintext after the first `skip`, piece by piece, none empty.

    The pieces follow each other in what is stored, each a number of whole blocks; the first begins
    with the IV, or anywhere later with the block before the first that is wanted. Only as many are
    taken as are needed. The caller's duty is decrypt_pieces()'s, and that plaintext_length() was
    asked first: nothing is checked here.

    CBC decryption is P[i] = D(C[i]) xor C[i-1] (NIST SP 800-38A §6.2), every block on its own. So
    many blocks go through one call of the raw cipher and are combined with the same ciphertext one
    block earlier: ten times as fast as PyCryptodome's CBC, which goes block by block.
    """
    cipher, earlier = AES.new(content_key, AES.MODE_ECB), b""
    for piece in pieces:
        blocks = memoryview(earlier + piece)
        plain = strxor(cipher.decrypt(blocks[BLOCK_BYTES:]), blocks[:-BLOCK_BYTES])
        earlier = bytes(blocks[-BLOCK_BYTES:])
        wanted = plain[skip : skip + length]
        skip = max(0, skip - len(plain))
        length -= len(wanted)
        if wanted:
            yield wanted
        if not length:
            return


def key_commitment(content_key: bytes, *, image_id: UUID, owner_id: UUID, lock: int) -> bytes:
    """Return the 32 bytes that the manifest publishes to tie one content key to its image.

    AES-CBC opens under any key, to noise; without this an owner could wrap different keys to
    different readers. Raises CryptoError if the key is not 32 bytes.
    """
    _require_content_key(content_key)
    return derive_key(content_key, context("key-commitment", image_id, owner_id, lock))


def check_key_commitment(
    content_key: bytes, commitment: bytes, *, image_id: UUID, owner_id: UUID, lock: int
) -> None:
    """Return if `commitment` is the key's, compared in constant time; raise CryptoError if not."""
    expected = key_commitment(content_key, image_id=image_id, owner_id=owner_id, lock=lock)
    if not hmac.compare_digest(expected, commitment):
        raise CryptoError


def rendition_tag_key(content_key: bytes, rendition: str) -> bytes:
    """Return the 32-byte subkey that an evidence pack reveals to tie one picture to a manifest.

    It opens nothing: HKDF does not run backwards. Raises CryptoError if the key is not 32 bytes.
    """
    _require_content_key(content_key)
    return derive_key(content_key, context(f"plain/{rendition}"))


def plaintext_tag(content_key: bytes, *, rendition: str, plaintext: bytes) -> bytes:
    """Return the 32-byte HMAC of `plaintext` under the rendition's tag key."""
    return mac(plaintext, rendition_tag_key(content_key, rendition))


def tagging(content_key: bytes, rendition: str) -> "hmac.HMAC":
    """Return what has the plaintext tag as its digest, once it was given the plaintext."""
    return hmac.new(rendition_tag_key(content_key, rendition), digestmod=hashlib.sha256)


def check_plaintext_tag(
    content_key: bytes, tag: bytes, *, rendition: str, plaintext: bytes
) -> None:
    """Return if `tag` is the plaintext's, compared in constant time; raise CryptoError if not."""
    check_mac(plaintext, tag, rendition_tag_key(content_key, rendition))


def _require_content_key(content_key: bytes) -> None:
    # Anybody who knows a public key can wrap 16 bytes to it, which would quietly mean AES-128.
    if len(content_key) != CONTENT_KEY_BYTES:
        raise CryptoError


def _encrypt_under_iv(plaintext: bytes, content_key: bytes, iv: bytes) -> bytes:
    return _joined(_encrypted([plaintext], content_key, iv))


def _encrypted(pieces: Iterable[bytes], content_key: bytes, iv: bytes) -> Iterator[bytes]:
    """Yield the IV and the ciphertext. In pieces: padding a whole image copies it."""
    cipher, rest = AES.new(content_key, AES.MODE_CBC, iv=iv), b""
    yield iv
    for piece in pieces:
        view = memoryview(rest + piece if rest else piece)
        whole = len(view) - len(view) % BLOCK_BYTES
        for start in range(0, whole, PIECE_BYTES):
            yield cipher.encrypt(view[start : min(start + PIECE_BYTES, whole)])
        rest = bytes(view[whole:])
    yield cipher.encrypt(pad(rest, BLOCK_BYTES))


def _joined(pieces: Iterable[bytes]) -> bytes:
    """b"".join() holds everything twice."""
    whole = BytesIO()
    for piece in pieces:
        whole.write(piece)
    return whole.getvalue()
