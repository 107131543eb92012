"""Fixed RSA keys: making one costs a second or more. load_pair(1) to load_pair(24)."""

from functools import cache
from pathlib import Path

from Crypto.IO import PKCS8
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey
from Crypto.Util.asn1 import DerSequence

HERE = Path(__file__).parent
PAIRS = 24


def pair_der(number: int) -> bytes:
    """Return the PKCS#8 DER of pair `number`, from 1."""
    return (HERE / f"pair-{number:02d}.der").read_bytes()


@cache
def load_pair(number: int) -> RsaKey:
    """Return pair `number`, from 1 to 24; the same object each time.

    Without the primality tests that `RSA.import_key` spends 45 ms on.
    """
    numbers = DerSequence().decode(PKCS8.unwrap(pair_der(number)).private_key)
    return RSA.construct([numbers[index] for index in range(1, 6)], consistency_check=False)


@cache
def load_refused(name: str) -> RsaKey:
    """Return a key that cryptocore refuses: "2048" or "e3"."""
    return RSA.import_key((HERE / f"refused-{name}.der").read_bytes())
