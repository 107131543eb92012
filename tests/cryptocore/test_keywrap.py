import pytest
from Crypto.Cipher import AES
from Crypto.Cipher._mode_kw import W

from cryptocore.keywrap import MAX_KEY_BYTES, unwrap_key, wrap_key
from tests.cryptocore.refusals import assert_refused, flipped

KEK = bytes(range(32))
KEY = bytes(range(100, 132))
WRAPPED = wrap_key(KEY, KEK)


def test_each_single_flipped_bit_is_refused():
    for bit in range(8 * len(WRAPPED)):
        assert_refused(unwrap_key, flipped(WRAPPED, bit), KEK)


@pytest.mark.parametrize(
    "wrapped", [b"", bytes(8), bytes(16), bytes(40), WRAPPED[:-1], WRAPPED[:-8], WRAPPED + bytes(8)]
)
def test_another_length_or_zeros_are_refused(wrapped):
    assert_refused(unwrap_key, wrapped, KEK)


def test_another_kek_is_refused():
    assert_refused(unwrap_key, WRAPPED, KEK[::-1])


def test_the_older_key_wrap_without_padding_is_refused():
    assert_refused(unwrap_key, AES.new(KEK, AES.MODE_KW).seal(KEY), KEK)


def test_what_is_longer_than_any_key_is_refused_unread():
    longest = AES.new(KEK, AES.MODE_KWP).seal(bytes(MAX_KEY_BYTES))
    assert unwrap_key(longest, KEK) == bytes(MAX_KEY_BYTES)
    assert_refused(unwrap_key, AES.new(KEK, AES.MODE_KWP).seal(bytes(MAX_KEY_BYTES + 1)), KEK)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_kek_of_another_size_is_a_programmers_mistake(size):
    with pytest.raises(ValueError, match="32 bytes"):
        wrap_key(KEY, bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        unwrap_key(WRAPPED, bytes(size))


@pytest.mark.parametrize("size", [0, MAX_KEY_BYTES + 1])
def test_a_key_of_an_impossible_size_is_a_programmers_mistake(size):
    with pytest.raises(ValueError, match="1 to 4096"):
        wrap_key(bytes(size), KEK)


def test_a_check_or_padding_that_is_not_as_wrapped_is_refused():
    wrong = [
        ("a65959a6", 33, bytes(32)),
        ("a65959a6", 24, bytes(32)),
        ("a65959a6", 31, bytes(31) + b"\x01"),
        ("a65959a6", 25, bytes(25) + b"\x01" + bytes(6)),
        ("a65959a7", 32, bytes(32)),
    ]
    for prefix, length, padded in wrong:
        check = bytes.fromhex(prefix) + length.to_bytes(4, "big")
        assert_refused(unwrap_key, W(AES.new(KEK, AES.MODE_ECB), check + padded), KEK)


def test_keys_of_every_length_come_back():
    for size in range(1, 65):
        key = bytes(range(size))
        assert unwrap_key(wrap_key(key, KEK), KEK) == key


def test_a_content_key_takes_forty_bytes_and_always_the_same():
    assert len(WRAPPED) == 40
    assert wrap_key(KEY, KEK) == WRAPPED
