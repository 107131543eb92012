import pytest
from Crypto.PublicKey import ECC, RSA
from Crypto.Util.asn1 import DerInteger, DerObjectId, DerSequence

from cryptocore import keypair
from cryptocore.errors import CryptoError
from cryptocore.signature import sign, verify
from tests.cryptocore.ders import pkcs1_numbers, pkcs8, spki
from tests.cryptocore.refusals import assert_refused, flipped
from tests.keys import PAIRS, load_pair, load_refused, pair_der

PRIVATE_DER = pair_der(1)
PUBLIC_DER = keypair.public_der(load_pair(1))
PUBLIC = load_pair(1).public_key()
# The bit string of the SubjectPublicKeyInfo holds SEQUENCE {n, e}.
PKCS1_PUBLIC = DerSequence([PUBLIC.n, PUBLIC.e]).encode()

PSS_ALGORITHM = keypair.RSA_ENCRYPTION.replace(b"\x01\x01\x01", b"\x01\x01\x0a")


NOT_OURS = {
    "nothing": b"",
    "zeros": bytes(422),
    "pem": PUBLIC.export_key(format="PEM"),
    "openssh": PUBLIC.export_key(format="OpenSSH"),
    "pkcs1": PKCS1_PUBLIC,
    "a private key": PRIVATE_DER,
    "an encrypted private key": load_pair(1).export_key(
        format="DER", pkcs=8, passphrase="x", prot_params={"iteration_count": 1000}
    ),
    "an elliptic curve's": ECC.construct(curve="P-256", d=1).public_key().export_key(format="DER"),
    "a byte after it": PUBLIC_DER + b"\x00",
    "cut": PUBLIC_DER[:-1],
    "the PSS algorithm": PUBLIC_DER.replace(keypair.RSA_ENCRYPTION, PSS_ALGORITHM),
    "algorithm without its NULL": DerSequence(
        [DerSequence([DerObjectId(RSA.oid)]).encode(), b"\x03\x82\x01\x8f\x00" + PKCS1_PUBLIC]
    ).encode(),
    "2048 bits": keypair.public_der(load_refused("2048")),
    "e = 3": keypair.public_der(load_refused("e3")),
    "3071 bits": spki(PUBLIC.n >> 1 | 1, 65537),
    "4097 bits": spki(2**4096 + 1, 65537),
    "16384 bits": spki(2**16383 + 1, 65537),
    "an even modulus": spki(PUBLIC.n + 1, 65537),
    "e = 1": spki(PUBLIC.n, 1),
    "e = 65539": spki(PUBLIC.n, 65539),
    "a megabyte": b"\x30\x83\x10\x00\x00" + bytes(2**20),
}


@pytest.mark.parametrize("der", NOT_OURS.values(), ids=NOT_OURS)
def test_what_is_not_our_public_key_is_refused(der):
    assert_refused(keypair.load_public_key, der)


def test_a_negative_or_padded_modulus_is_refused():
    start = PUBLIC_DER.index(b"\x02\x82\x01\x81\x00")
    negative = PUBLIC_DER[:start] + b"\x02\x82\x01\x81\xff" + PUBLIC_DER[start + 5 :]
    assert_refused(keypair.load_public_key, negative)
    padded = DerInteger(PUBLIC.e).encode().replace(b"\x03", b"\x04\x00", 1)
    inner = DerSequence([PUBLIC.n]).encode()[4:] + padded
    outer = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    bits = b"\x03\x82" + (len(outer) + 1).to_bytes(2, "big") + b"\x00" + outer
    assert_refused(keypair.load_public_key, DerSequence([keypair.RSA_ENCRYPTION, bits]).encode())


def test_a_flipped_bit_is_refused_or_is_another_key():
    for byte in range(len(PUBLIC_DER)):
        try:
            key = keypair.load_public_key(flipped(PUBLIC_DER, 8 * byte + byte % 8))
        except CryptoError:
            continue
        assert key.n != PUBLIC.n
        assert keypair.public_der(key) != PUBLIC_DER


def test_our_own_public_keys_are_taken_and_encode_to_the_same_bytes():
    for number in range(1, PAIRS + 1):
        der = keypair.public_der(load_pair(number))
        assert len(der) == 422
        assert keypair.public_der(keypair.load_public_key(der)) == der


def test_a_public_key_says_nothing_of_the_private_half():
    assert not keypair.load_public_key(PUBLIC_DER).has_private()
    assert (
        not keypair.load_private_key(PRIVATE_DER, public_der=PUBLIC_DER).public_key().has_private()
    )


def test_a_public_key_of_4096_bits_is_taken():
    assert keypair.load_public_key(spki(2**4095 + 1, 65537)).size_in_bits() == 4096


def test_the_fingerprint_is_the_sha256_of_the_der():
    # openssl pkey -in tests/keys/pair-01.der -pubout -outform DER | sha256sum
    assert keypair.fingerprint(PUBLIC_DER) == (
        "b3742a1c578ab1cc1f452db237ee356eb9384ce20e1f94cf2b15162c717b4083"
    )


@pytest.mark.parametrize("number", range(1, PAIRS + 1))
def test_a_private_key_loads_fast_and_whole(number):
    whole, der = load_pair(number), pair_der(number)
    key = keypair.load_private_key(der, public_der=keypair.public_der(whole))
    assert (key.n, key.e, key.d, key.p, key.q, key.u) == (
        whole.n, whole.e, whole.d, whole.p, whole.q, whole.u
    )  # fmt: skip
    assert keypair.private_der(key) == der
    verify(b"message", sign(b"message", key), whole.public_key())


def test_a_private_key_of_another_public_key_is_refused():
    assert_refused(
        keypair.load_private_key, PRIVATE_DER, public_der=keypair.public_der(load_pair(2))
    )


def test_a_private_key_beside_a_refused_public_key_is_refused():
    for name in ("2048", "e3"):
        key = load_refused(name)
        assert_refused(
            keypair.load_private_key,
            keypair.private_der(key),
            public_der=keypair.public_der(key),
        )


def changed(index: int, number: int) -> bytes:
    numbers = pkcs1_numbers(load_pair(1))
    numbers[index] = number
    return pkcs8(*numbers)


KEY = load_pair(1)
WRONG_PRIVATE = {
    "nothing": b"",
    "a public key": PUBLIC_DER,
    "pkcs1": KEY.export_key(format="DER", pkcs=1),
    "pem": KEY.export_key(format="PEM", pkcs=8),
    "a byte after it": PRIVATE_DER + b"\x00",
    "cut": PRIVATE_DER[:-1],
    "eight numbers": pkcs8(*pkcs1_numbers(KEY)[:8]),
    "version 1": pkcs8(*pkcs1_numbers(KEY), version=1),
    "three primes": changed(0, 1),
    "another modulus": changed(1, KEY.n + 2),
    "e = 3": changed(2, 3),
    "another d": changed(3, KEY.d + 2),
    "d = 0": changed(3, 0),
    "p = 0": changed(4, 0),
    "p = 1": changed(4, 1),
    "another q": changed(5, KEY.q + 2),
    "q = 1, p = n": pkcs8(0, KEY.n, KEY.e, KEY.d, KEY.n, 1, 1, 1, 1),
    "another key's factors": pkcs8(0, KEY.n, *pkcs1_numbers(load_pair(2))[2:]),
    "the PSS algorithm": PRIVATE_DER.replace(keypair.RSA_ENCRYPTION, PSS_ALGORITHM),
    "a negative p and q": pkcs8(0, KEY.n, KEY.e, KEY.d, -KEY.p, -KEY.q, 1, 1, 1),
    "too long": PRIVATE_DER + bytes(4096),
}


@pytest.mark.parametrize("der", WRONG_PRIVATE.values(), ids=WRONG_PRIVATE)
def test_what_is_not_the_private_key_is_refused(der):
    assert_refused(keypair.load_private_key, der, public_der=PUBLIC_DER)
    assert_refused(keypair.check_private_key, der)


def test_factors_in_the_other_order_are_the_same_key():
    swapped = pkcs8(0, KEY.n, KEY.e, KEY.d, KEY.q, KEY.p, KEY.dq, KEY.dp, KEY.u)
    key = keypair.load_private_key(swapped, public_der=PUBLIC_DER)
    verify(b"message", sign(b"message", key), PUBLIC)
    assert keypair.check_private_key(swapped).n == KEY.n


@pytest.mark.parametrize("index", [6, 7, 8], ids=["dp", "dq", "coefficient"])
def test_a_key_that_enters_has_no_second_encoding(index):
    assert_refused(keypair.check_private_key, changed(index, 5))


def test_a_composite_factor_is_refused_when_a_key_enters():
    # p * q is right, e and d match modulo both, and q is not prime.
    p, r = KEY.p, 3 * 5
    n = p * r
    d = pow(65537, -1, (p - 1) * (r - 1))
    der = pkcs8(0, n, 65537, d, p, r, d % (p - 1), d % (r - 1), pow(r, -1, p))
    assert_refused(keypair.check_private_key, der)


@pytest.mark.parametrize("name", ["2048", "e3"])
def test_a_refused_size_or_exponent_does_not_enter(name):
    assert_refused(keypair.check_private_key, keypair.private_der(load_refused(name)))


def test_a_key_that_enters_is_checked_and_returned():
    assert keypair.check_private_key(PRIVATE_DER) == KEY


def test_a_public_key_has_no_private_encoding():
    with pytest.raises(TypeError):
        keypair.private_der(PUBLIC)


def test_a_new_pair_has_the_size_and_exponent_we_take():
    key = keypair.generate()
    assert (key.size_in_bits(), key.e) == (3072, 65537)
    assert keypair.check_private_key(keypair.private_der(key)) == key
