"""Fixed RSA keys: making one costs a second. load_pair(1) to load_pair(24)."""

from functools import cache
from pathlib import Path

from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

HERE = Path(__file__).parent
PAIRS = 24


def pair_der(number: int) -> bytes:
    """Return the PKCS#8 DER of pair `number`, from 1."""
    return (HERE / f"pair-{number:02d}.der").read_bytes()


@cache
def load_pair(number: int) -> RsaKey:
    """Return pair `number`, from 1 to 24; the same object each time."""
    return RSA.import_key(pair_der(number))


@cache
def load_refused(name: str) -> RsaKey:
    """Return a key that cryptocore refuses: "2048" or "e3"."""
    return RSA.import_key((HERE / f"refused-{name}.der").read_bytes())
