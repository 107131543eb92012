"""What most tests wrap and unwrap keys with does what cryptocore does."""

import os

import pytest

from cryptocore import keywrap
from cryptocore.errors import CryptoError
from tests import quick_keywrap

pytestmark = pytest.mark.skipif(quick_keywrap.CRYPTO is None, reason="no OpenSSL library")
KEK = bytes(range(32))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 32, 2376, 4096])
def test_both_give_the_same_bytes_and_take_the_others(size):
    key = os.urandom(size)
    wrapped = keywrap.wrap_key(key, KEK)
    assert quick_keywrap.wrap_key(key, KEK) == wrapped
    assert quick_keywrap.unwrap_key(wrapped, KEK) == keywrap.unwrap_key(wrapped, KEK) == key


def test_both_refuse_every_flipped_byte_and_every_other_length():
    wrapped = keywrap.wrap_key(bytes(32), KEK)
    flipped = [
        wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        for place in range(len(wrapped))
    ]
    lengths = [wrapped[:length] for length in range(len(wrapped))] + [wrapped + bytes(8)]
    for refused in [*flipped, *lengths, bytes(4112)]:
        for unwrap in (keywrap.unwrap_key, quick_keywrap.unwrap_key):
            with pytest.raises(CryptoError):
                unwrap(refused, KEK)


@pytest.mark.parametrize("sizes", [(0, 32), (4097, 32), (32, 16), (32, 31)])
def test_both_refuse_the_same_sizes(sizes):
    key, kek = (bytes(size) for size in sizes)
    for wrap in (keywrap.wrap_key, quick_keywrap.wrap_key):
        with pytest.raises(ValueError, match="takes"):
            wrap(key, kek)
