"""Keys in DER that no library would make."""

from Crypto.PublicKey import RSA
from Crypto.Util.asn1 import DerInteger, DerNull, DerObjectId, DerOctetString, DerSequence


def spki(n: int, e: int) -> bytes:
    """SubjectPublicKeyInfo of these numbers, whatever they are."""
    return RSA.construct((n, e), consistency_check=False).export_key(format="DER")


def pkcs8(*numbers: int, version: int = 0) -> bytes:
    """PKCS#8 around these numbers, whatever they are."""
    key = DerOctetString(DerSequence(list(numbers)).encode())
    algorithm = DerSequence([DerObjectId(RSA.oid), DerNull()])
    return DerSequence([DerInteger(version), algorithm, key]).encode()


def pkcs1_numbers(key: RSA.RsaKey) -> list[int]:
    """The nine numbers in the order of RFC 8017 A.1.2, where the last is q^-1 mod p."""
    return [0, key.n, key.e, key.d, key.p, key.q, key.dp, key.dq, key.invq]
