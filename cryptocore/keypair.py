"""RSA key pairs: their size, their two encodings and their name (docs/format.md, "Key pairs")."""

import hashlib
from functools import lru_cache
from typing import Any

from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Util.asn1 import DerBitString, DerOctetString, DerSequence

from cryptocore.errors import CryptoError

BITS = 3072
MAX_BITS = 4096
PUBLIC_EXPONENT = 65537
# A 4096-bit key takes 550 bytes public and 2,376 private; what is longer is not worth parsing.
MAX_PUBLIC_BYTES = 1024
MAX_PRIVATE_BYTES = 4096
# AlgorithmIdentifier {rsaEncryption, NULL} (RFC 8017 appendix A.1).
RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
# Everything PyCryptodome raises for malformed keys, and what arithmetic on hostile numbers raises.
MALFORMED = (ValueError, IndexError, TypeError, ArithmeticError)


def generate() -> RsaKey:
    """Return a new RSA-3072 key pair (FIPS 186-4, e = 65537). Slow: never inside a transaction."""
    return RSA.generate(BITS, e=PUBLIC_EXPONENT)


def public_der(key: RsaKey) -> bytes:
    """Return the public half as DER SubjectPublicKeyInfo: 422 bytes for 3072 bits."""
    return key.public_key().export_key(format="DER")


def private_der(key: RsaKey) -> bytes:
    """Return the private key as unencrypted PKCS#8 DER: only ever to be wrapped or handed out."""
    if not key.has_private():
        raise TypeError("a public key has no private encoding")
    return key.export_key(format="DER", pkcs=8)


def fingerprint(public_der: bytes) -> str:
    """Return the SHA-256 of a DER SubjectPublicKeyInfo: 64 lower-case hex digits."""
    return hashlib.sha256(public_der).hexdigest()


@lru_cache(maxsize=1024)  # the same bytes are the same key: every image of a page asks for one
def load_public_key(der: bytes) -> RsaKey:
    """Return the public key in a DER SubjectPublicKeyInfo and in no other form.

    Raises CryptoError unless it is the one DER encoding of an RSA key of 3072 to 4096 bits
    with e = 65537. `RSA.import_key` also takes PEM, OpenSSH, X.509 and encrypted keys, whose
    cost an attacker chooses; and two encodings of one key would have two fingerprints.
    """
    try:
        key = RSA.construct(_public_numbers(der))
        _require_strong(key)
    except MALFORMED:
        raise CryptoError from None
    if public_der(key) != der:
        raise CryptoError
    return key


def load_private_key(der: bytes, *, public_der: bytes) -> RsaKey:
    """Return the private key in `der` (PKCS#8), which must belong to `public_der`.

    For keys that we wrapped ourselves: leaves out PyCryptodome's primality tests, 45 ms of
    the 50 that a load takes. Raises CryptoError if it does not parse or has another modulus.
    """
    public = load_public_key(public_der)
    try:
        numbers = _private_numbers(der)
        _require_same(public, *numbers)
        return RSA.construct(numbers, consistency_check=False)
    except MALFORMED:
        raise CryptoError from None


def check_private_key(der: bytes) -> RsaKey:
    """Return the private key in `der` (PKCS#8) after every check there is, primality too.

    For keys that enter from outside. Raises CryptoError if one fails, or if `der` is not
    the one DER encoding of the key.
    """
    try:
        key = RSA.construct(_private_numbers(der), consistency_check=True)
        _require_strong(key)
    except MALFORMED:
        raise CryptoError from None
    if private_der(key) != der:
        raise CryptoError
    return key


def _public_numbers(der: bytes) -> tuple[int, int]:
    """SubjectPublicKeyInfo {algorithm, BIT STRING {SEQUENCE {n, e}}} (RFC 5280 §4.1.2.7)."""
    if len(der) > MAX_PUBLIC_BYTES:
        raise ValueError("longer than any key we use")
    algorithm, bits = _sequence(der, 2)
    _require_rsa(algorithm)
    n, e = _sequence(DerBitString().decode(bits, strict=True).value, 2)
    return int(n), int(e)


def _private_numbers(der: bytes) -> tuple[int, int, int, int, int]:
    """PrivateKeyInfo {0, algorithm, OCTET STRING {RSAPrivateKey}} (RFC 5208 §5, RFC 8017 A.1.2).

    Returns n, e, d, p, q and leaves the sixth to PyCryptodome: its u is p^-1 mod q, while the
    file's last number is q^-1 mod p; one taken for the other decrypts to noise.
    """
    if len(der) > MAX_PRIVATE_BYTES:
        raise ValueError("longer than any key we use")
    version, algorithm, octets = _sequence(der, 3)
    _require_rsa(algorithm)
    inner_version, n, e, d, p, q, *_ = _sequence(DerOctetString().decode(octets).payload, 9)
    if version != 0 or inner_version != 0:
        raise ValueError("not two primes")
    return n, e, d, p, q


def _sequence(der: bytes, length: int) -> list[Any]:
    sequence = DerSequence().decode(der, strict=True, nr_elements=length)
    return [sequence[index] for index in range(length)]


def _require_rsa(algorithm: object) -> None:
    if algorithm != RSA_ENCRYPTION:
        raise ValueError("not an RSA key")


def _require_strong(key: RsaKey) -> None:
    if not BITS <= key.size_in_bits() <= MAX_BITS or key.e != PUBLIC_EXPONENT:
        raise ValueError("a size or exponent that we refuse")


def _require_same(public: RsaKey, n: int, e: int, d: int, p: int, q: int) -> None:
    if (n, e) != (public.n, public.e) or p * q != n:
        raise ValueError("another key")
    if p <= 1 or q <= 1 or e * d % (p - 1) != 1 or e * d % (q - 1) != 1:
        raise ValueError("numbers that do not belong together")
