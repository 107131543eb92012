"""Fixed RSA keys: making one costs a second or more. load_pair(1) to load_pair(576)."""

from functools import cache
from math import lcm
from pathlib import Path

from Crypto.IO import PKCS8
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Util.asn1 import DerSequence

HERE = Path(__file__).parent
PAIRS = 24
WITH_MIXED_ONES = PAIRS**2


def pair_der(number: int) -> bytes:
    """Return the PKCS#8 DER of pair `number`, from 1 to 24."""
    return (HERE / f"pair-{number:02d}.der").read_bytes()


@cache
def load_pair(number: int) -> RsaKey:
    """Return pair `number`, from 1; the same object each time.

    The first 24 are those of the files, without the primality tests that `RSA.import_key` spends
    45 ms on. The others each have a prime of one file and a prime of another.
    """
    turns, file = divmod(number - 1, PAIRS)
    pair = _pair_of_file(file + 1)
    if turns == 0:
        return pair
    p, q = int(pair.p), int(_pair_of_file((file + turns) % PAIRS + 1).q)
    private = pow(pair.e, -1, lcm(p - 1, q - 1))
    return RSA.construct((p * q, pair.e, private, p, q), consistency_check=False)


@cache
def _pair_of_file(number: int) -> RsaKey:
    numbers = DerSequence().decode(PKCS8.unwrap(pair_der(number)).private_key)
    return RSA.construct([numbers[index] for index in range(1, 6)], consistency_check=False)


@cache
def load_refused(name: str) -> RsaKey:
    """Return a key that cryptocore refuses: "2048" or "e3"."""
    return RSA.import_key((HERE / f"refused-{name}.der").read_bytes())
