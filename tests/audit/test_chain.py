"""How entries hang together, computed a second time with the standard library."""

import hashlib
import hmac

import pytest

from audit import chain
from cryptocore.errors import CryptoError

KEY, LEAF = b"k" * 32, b'{"v":1}'


def test_a_leaf_hash_is_that_of_rfc_6962():
    assert chain.hash_leaf(LEAF) == hashlib.sha256(b"\x00" + LEAF).digest()
    # RFC 6962 §2.1.3's tree of one empty leaf, as published with its reference implementation.
    empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert chain.hash_leaf(b"").hex() == empty


def test_a_link_covers_predecessor_and_leaf_hash_under_the_key():
    previous, leaf_hash = b"p" * 32, chain.hash_leaf(LEAF)
    message = b"imageshare/v1/audit-chain\x00" + previous + leaf_hash
    assert chain.link(previous, leaf_hash, KEY) == hmac.digest(KEY, message, "sha256")


def test_a_line_tag_is_no_link():
    leaf_hash = chain.hash_leaf(LEAF)
    message = b"imageshare/v1/audit-line\x00" + leaf_hash
    assert chain.tag_line(leaf_hash, KEY) == hmac.digest(KEY, message, "sha256")


@pytest.mark.parametrize("part", ["previous", "leaf_hash", "chain", "key"])
def test_a_link_with_one_bit_changed_is_refused(part):
    parts = {"previous": b"p" * 32, "leaf_hash": chain.hash_leaf(LEAF), "key": KEY}
    parts["chain"] = chain.link(**parts)
    chain.check_link(**parts)
    parts[part] = bytes([parts[part][0] ^ 1]) + parts[part][1:]
    with pytest.raises(CryptoError):
        chain.check_link(**parts)


@pytest.mark.parametrize("previous", [b"", b"p" * 31, b"p" * 33])
def test_a_predecessor_of_another_length_is_refused_like_a_wrong_one(previous):
    with pytest.raises(CryptoError):
        chain.check_link(previous, chain.hash_leaf(LEAF), bytes(32), KEY)


@pytest.mark.parametrize("part", ["leaf_hash", "tag", "key"])
def test_a_line_tag_with_one_bit_changed_is_refused(part):
    parts = {"leaf_hash": chain.hash_leaf(LEAF), "key": KEY}
    parts["tag"] = chain.tag_line(**parts)
    chain.check_line_tag(**parts)
    parts[part] = bytes([parts[part][0] ^ 1]) + parts[part][1:]
    with pytest.raises(CryptoError):
        chain.check_line_tag(**parts)
