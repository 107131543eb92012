import pytest
from Crypto.Hash import SHA1, SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15, pss

from cryptocore import signature
from cryptocore.signature import sign, verify
from tests.cryptocore.refusals import assert_refused, flipped
from tests.keys import load_pair

KEY = load_pair(1)
PUBLIC = KEY.public_key()
MESSAGE = b"imageshare/v1/test\x00a statement"
SIGNATURE = sign(MESSAGE, KEY)


def test_each_single_flipped_bit_is_refused():
    for bit in range(8 * len(SIGNATURE)):
        assert_refused(verify, MESSAGE, flipped(SIGNATURE, bit), PUBLIC)


def test_another_message_or_key_is_refused():
    assert_refused(verify, MESSAGE + b"\x00", SIGNATURE, PUBLIC)
    assert_refused(verify, MESSAGE, SIGNATURE, load_pair(2).public_key())


@pytest.mark.parametrize("cut", [0, 1, 383])
def test_a_signature_of_another_length_is_refused(cut):
    assert_refused(verify, MESSAGE, SIGNATURE[:cut], PUBLIC)
    assert_refused(verify, MESSAGE, bytes(384 - cut) + SIGNATURE, PUBLIC)


def test_a_number_as_large_as_the_modulus_is_refused():
    assert_refused(verify, MESSAGE, PUBLIC.n.to_bytes(384, "big"), PUBLIC)
    assert_refused(verify, MESSAGE, b"\xff" * 384, PUBLIC)


@pytest.mark.parametrize("salt_bytes", [0, 20, 31, 33])
def test_another_length_of_salt_is_refused(salt_bytes):
    other = pss.new(KEY, salt_bytes=salt_bytes).sign(SHA256.new(MESSAGE))
    assert_refused(verify, MESSAGE, other, PUBLIC)


def test_another_padding_hash_or_mask_is_refused():
    others = [
        pkcs1_15.new(KEY).sign(SHA256.new(MESSAGE)),
        pss.new(KEY, salt_bytes=32).sign(SHA1.new(MESSAGE)),
        pss.new(KEY, salt_bytes=32, mask_func=lambda seed, n: pss.MGF1(seed, n, SHA1)).sign(
            SHA256.new(MESSAGE)
        ),
    ]
    for other in others:
        assert_refused(verify, MESSAGE, other, PUBLIC)


def test_a_signature_is_as_long_as_the_modulus_and_verifies():
    assert len(SIGNATURE) == 384
    verify(MESSAGE, SIGNATURE, PUBLIC)


def test_two_signatures_of_one_message_differ():
    assert sign(MESSAGE, KEY) != SIGNATURE


def test_a_public_key_cannot_sign():
    with pytest.raises(TypeError):
        sign(MESSAGE, RSA.construct((PUBLIC.n, PUBLIC.e)))


def test_what_verified_once_vouches_for_nothing_else():
    verify(MESSAGE, SIGNATURE, PUBLIC)
    assert_refused(verify, MESSAGE + b".", SIGNATURE, PUBLIC)
    assert_refused(verify, MESSAGE, flipped(SIGNATURE, 0), PUBLIC)
    assert_refused(verify, MESSAGE, SIGNATURE, load_pair(2).public_key())
    verify(MESSAGE, SIGNATURE, PUBLIC)


def test_what_is_remembered_stays_few(monkeypatch):
    monkeypatch.setattr(signature, "REMEMBERED", 2)
    monkeypatch.setattr(signature, "_proven", set())
    for number in range(3):
        message = MESSAGE + bytes([number])
        verify(message, sign(message, KEY), PUBLIC)
        assert 1 <= len(signature._proven) <= 2
