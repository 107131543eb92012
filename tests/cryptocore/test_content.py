import hashlib
import hmac
from uuid import UUID

import pytest
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

from cryptocore import content
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from tests.cryptocore.refusals import assert_refused, flipped

KEY = bytes(range(32))
IMAGE = UUID("6f1b0a52-3c0e-4e0b-9a43-7d5a0c1f2e11")
OWNER = UUID("0d9f3a7e-59a1-4b6c-8a52-2f1c9e6b7d40")
PIECE = content.PIECE_BYTES


def cbc(padded: bytes, *, key: bytes = KEY, iv: bytes = bytes(16)) -> bytes:
    """`padded` as it would be stored, by the library's own CBC and with any padding."""
    return iv + AES.new(key, AES.MODE_CBC, iv=iv).encrypt(padded)


def decrypted(stored: bytes, start: int = 0, stop: int | None = None) -> list[bytes]:
    """The bytes from `start` up to `stop`, from pieces that begin where somebody would read."""
    length = content.plaintext_length(len(stored), stored[-32:], KEY)
    begin = start // PIECE * PIECE
    pieces = [stored[at : at + PIECE] for at in range(begin, len(stored), PIECE)]
    stop = length if stop is None else stop
    return list(content.decrypt_part(pieces, KEY, skip=start - begin, length=stop - start))


BAD_PADDING = [
    bytes(16),
    b"\x11" * 16,
    b"\xff" * 16,
    bytes(14) + b"\x01\x02",
    bytes(13) + b"\x02\x03\x03",
    b"\x00" + b"\x10" * 15,
    bytes(15) + b"\x80",
    b"\x80" + bytes(15),
]


@pytest.mark.parametrize("last", BAD_PADDING, ids=bytes.hex)
@pytest.mark.parametrize("before", [0, 1, 2 * PIECE // 16])
def test_wrong_padding_is_refused_before_there_is_a_first_piece(last, before):
    stored = cbc(bytes(16) * before + last)
    assert_refused(content.decrypt, stored, KEY)
    assert_refused(content.plaintext_length, len(stored), stored[-32:], KEY)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 33, 47, 2 * PIECE + 1])
def test_a_length_without_iv_and_whole_blocks_is_refused(length):
    assert_refused(content.decrypt, bytes(length), KEY)
    assert_refused(content.plaintext_length, length, bytes(length)[-32:], KEY)
    assert_refused(content.plaintext_length, length, bytes(32), KEY)


@pytest.mark.parametrize("size", [0, 1, 16, 24, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size):
    # 16 and 24 bytes are keys to AES: somebody may have wrapped them on purpose.
    stored, key = cbc(pad(b"a picture", 16), key=KEY[:16]), KEY * 2
    assert_refused(content.decrypt, stored, key[:size])
    assert_refused(content.plaintext_length, len(stored), stored[-32:], key[:size])
    assert_refused(content.key_commitment, key[:size], image_id=IMAGE, owner_id=OWNER, lock=1)
    assert_refused(content.rendition_tag_key, key[:size], "original")
    with pytest.raises(ValueError, match="32 bytes"):
        content.encrypt(b"a picture", key[:size])


def test_another_key_gives_noise_or_a_refusal():
    """What CBC cannot do: the commitment and the signed digest are there for it."""
    stored = content.encrypt(b"a picture" * 100, KEY)
    for first in range(1, 50):
        try:
            assert content.decrypt(stored, bytes([first]) * 32) != b"a picture" * 100
        except CryptoError:
            continue


@pytest.mark.attack("B8")
@pytest.mark.parametrize("ending", [b"", b"\x00", b"\x01", b"\x10", b"\x10" * 16], ids=bytes.hex)
def test_every_short_length_and_ending_comes_back(ending):
    for length in range(65):
        plaintext = bytes(range(length)) + ending
        stored = content.encrypt(plaintext, KEY)
        assert content.decrypt(stored, KEY) == plaintext
        assert content.plaintext_length(len(stored), stored[-32:], KEY) == len(plaintext)
        assert len(stored) == 16 + 16 * (len(plaintext) // 16 + 1)


AROUND_A_PIECE = [
    pieces * PIECE + delta
    for pieces in (1, 2, 3)
    for delta in (-33, -17, -16, -15, -1, 0, 1, 16, 17)
]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 5000, *AROUND_A_PIECE])
def test_pieces_are_the_same_bytes_as_cbc(length):
    plaintext = hashlib.shake_256(length.to_bytes(4, "big")).digest(length)
    pieces = decrypted(cbc(pad(plaintext, 16), iv=KEY[:16]))
    assert b"".join(pieces) == plaintext
    assert all(0 < len(piece) <= PIECE for piece in pieces)


EDGES = [0, 1, 15, 16, 17, PIECE - 17, PIECE - 16, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5]


@pytest.mark.parametrize("start", EDGES)
def test_any_part_is_had_without_what_is_before_and_behind_it(start):
    plaintext = hashlib.shake_256(b"a picture").digest(2 * PIECE + 6)
    stored = content.encrypt(plaintext, KEY)
    for stop in [*EDGES, len(plaintext)]:
        if stop > start:
            pieces = decrypted(stored, start, stop)
            assert b"".join(pieces) == plaintext[start:stop]
            assert all(0 < len(piece) <= PIECE for piece in pieces)


def test_no_more_pieces_are_taken_than_are_needed():
    stored = content.encrypt(bytes(3 * PIECE), KEY)
    pieces = iter([stored[:PIECE], stored[PIECE : 2 * PIECE], stored[2 * PIECE :]])
    assert len(b"".join(content.decrypt_part(pieces, KEY, skip=5, length=100))) == 100
    assert len(list(pieces)) == 2


@pytest.mark.parametrize("sizes", [[], [0], [1], [16, 16], [5, 0, 30, 1], [PIECE, PIECE + 3, 7]])
def test_pieces_of_any_length_are_sealed_as_one(sizes):
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    whole, coming = b"".join(pieces), iter(pieces)
    stored, tag = content.encrypt_and_tag(coming, KEY, rendition="original")
    assert len(stored) == len(content.encrypt(whole, KEY))
    assert content.decrypt(stored, KEY) == b"".join(content.decrypt_pieces(stored, KEY)) == whole
    content.check_plaintext_tag(KEY, tag, rendition="original", plaintext=whole)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_pieces_are_sealed_under_no_key_of_another_size(size):
    with pytest.raises(CryptoError):
        content.encrypt_and_tag([b"a picture"], bytes(size), rendition="original")


def test_other_buffers_are_taken_too():
    stored = content.encrypt(b"a picture" * 10, KEY)
    for kind in (bytearray, memoryview):
        assert content.decrypt(kind(stored), KEY) == b"a picture" * 10


def test_what_we_encrypt_plain_cbc_decrypts():
    stored = content.encrypt(b"a picture", KEY)
    assert AES.new(KEY, AES.MODE_CBC, iv=stored[:16]).decrypt(stored[16:]) == pad(b"a picture", 16)


@pytest.mark.attack("A8")
def test_no_iv_and_no_block_repeats():
    stored = [content.encrypt(bytes(1000), KEY) for _ in range(200)]
    blocks = [each[start : start + 16] for each in stored for start in range(0, len(each), 16)]
    assert len(set(blocks)) == len(blocks)


@pytest.mark.attack("A8")
def test_content_keys_are_thirty_two_bytes_and_differ():
    keys = {content.new_content_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert {len(key) for key in keys} == {32}


def commitment(key=KEY, image_id=IMAGE, owner_id=OWNER, lock=7):
    return content.key_commitment(key, image_id=image_id, owner_id=owner_id, lock=lock)


def test_the_commitment_is_hkdf_over_image_owner_and_lock():
    info = b"imageshare/v1/key-commitment\x00" + IMAGE.bytes + OWNER.bytes + b"\x00\x00\x00\x07"
    assert commitment() == derive_key(KEY, info)
    content.check_key_commitment(KEY, commitment(), image_id=IMAGE, owner_id=OWNER, lock=7)


@pytest.mark.parametrize(
    "other",
    [{"key": KEY[::-1]}, {"image_id": OWNER}, {"owner_id": IMAGE}, {"lock": 8}],
    ids=["key", "image", "owner", "lock"],
)
def test_a_commitment_to_anything_else_is_refused(other):
    assert commitment(**other) != commitment()
    assert_refused(
        content.check_key_commitment,
        KEY,
        commitment(**other),
        image_id=IMAGE,
        owner_id=OWNER,
        lock=7,
    )


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_cut_or_lengthened_commitment_is_refused(length):
    for altered in (commitment()[:length], commitment() + bytes(length + 1)):
        assert_refused(
            content.check_key_commitment, KEY, altered, image_id=IMAGE, owner_id=OWNER, lock=7
        )


def test_a_tag_is_hmac_under_the_renditions_own_key():
    subkey = derive_key(KEY, b"imageshare/v1/plain/preview\x00")
    assert content.rendition_tag_key(KEY, "preview") == subkey
    expected = hmac.digest(subkey, b"a picture", hashlib.sha256)
    assert content.plaintext_tag(KEY, rendition="preview", plaintext=b"a picture") == expected
    content.check_plaintext_tag(KEY, expected, rendition="preview", plaintext=b"a picture")


def test_a_tag_of_other_plaintext_key_or_rendition_is_refused():
    tag = content.plaintext_tag(KEY, rendition="preview", plaintext=b"a picture")
    check = content.check_plaintext_tag
    for bit in range(8 * len(tag)):
        assert_refused(check, KEY, flipped(tag, bit), rendition="preview", plaintext=b"a picture")
    assert_refused(check, KEY, tag, rendition="original", plaintext=b"a picture")
    assert_refused(check, KEY, tag, rendition="preview", plaintext=b"a picture.")
    assert_refused(check, KEY[::-1], tag, rendition="preview", plaintext=b"a picture")


def test_no_subkey_or_commitment_equals_another():
    names = ("original", "preview", "thumbnail", "description")
    derived = {content.rendition_tag_key(KEY, name) for name in names} | {commitment(), KEY}
    assert len(derived) == 6
