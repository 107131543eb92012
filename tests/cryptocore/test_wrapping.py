import pytest
from Crypto.Cipher import PKCS1_v1_5, oaep
from Crypto.Hash import SHA1, SHA256

from cryptocore.context import context
from cryptocore.wrapping import unwrap, wrap
from tests.cryptocore.refusals import assert_refused, flipped
from tests.keys import load_pair

KEY = load_pair(1)
PUBLIC = KEY.public_key()
SECRET = bytes(range(32))
LABEL = context("content-key", 1, bytes(32))
WRAPPED = wrap(SECRET, PUBLIC, label=LABEL)


def test_flipped_bits_are_refused():
    # One bit of each byte: an RSA operation of 4 ms each; test_properties.py draws more.
    for byte in range(len(WRAPPED)):
        assert_refused(unwrap, flipped(WRAPPED, 8 * byte + byte % 8), KEY, label=LABEL)


@pytest.mark.attack("B5")
@pytest.mark.parametrize(
    "label", [b"", LABEL[:-1], LABEL + b"\x00", context("content-key", 2, bytes(32))]
)
def test_another_place_is_refused(label):
    assert_refused(unwrap, WRAPPED, KEY, label=label)


def test_another_key_is_refused():
    assert_refused(unwrap, WRAPPED, load_pair(2), label=LABEL)


@pytest.mark.parametrize(
    "wrapped",
    [b"", bytes(383), bytes(384), bytes(385), b"\xff" * 384, WRAPPED[:-1], b"\x00" + WRAPPED],
    ids=["nothing", "383", "zeros", "385", "above the modulus", "cut", "padded"],
)
def test_another_length_or_number_is_refused(wrapped):
    assert_refused(unwrap, wrapped, KEY, label=LABEL)


@pytest.mark.attack("A9")
def test_another_padding_or_hash_is_refused():
    others = [
        PKCS1_v1_5.new(PUBLIC).encrypt(SECRET),
        oaep.new(PUBLIC, hashmod=SHA1, label=LABEL).encrypt(SECRET),
        oaep.new(PUBLIC, hashmod=SHA256).encrypt(SECRET),
        oaep.new(
            PUBLIC, hashmod=SHA256, label=LABEL, mask_func=lambda s, n: oaep.MGF1(s, n, SHA1)
        ).encrypt(SECRET),
    ]
    for other in others:
        assert_refused(unwrap, other, KEY, label=LABEL)


def test_a_secret_too_long_for_the_key_is_a_programmers_mistake():
    with pytest.raises(ValueError, match="too long"):
        wrap(bytes(319), PUBLIC, label=LABEL)


def test_a_public_key_cannot_unwrap():
    with pytest.raises(TypeError):
        unwrap(WRAPPED, PUBLIC, label=LABEL)


def test_the_secret_comes_back_and_no_two_wrappings_are_alike():
    assert len(WRAPPED) == 384
    assert unwrap(WRAPPED, KEY, label=LABEL) == SECRET
    assert wrap(SECRET, PUBLIC, label=LABEL) != WRAPPED
