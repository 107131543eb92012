"""The code a person writes down: 30 symbols of Crockford's base32, 150 bits.

Alphabet and look-alikes: Douglas Crockford, "Base 32" (crockford.com/base32.html).
"""

import secrets

from cryptocore.errors import CryptoError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SYMBOLS = 30
GROUP = 5
LOOK_ALIKES = str.maketrans("OIL", "011")
# Word processors turn a typed hyphen into one of these.
HYPHENS = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212")


def new_code() -> str:
    """Return 30 random symbols without groups: already normalised."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SYMBOLS))


def fold(text: str) -> str:
    """Return `text` without white space and hyphens, in upper case, O as 0, I and L as 1.

    Says nothing about whether a code, or a part of one, remains; never raises.
    """
    kept = (symbol for symbol in text if not (symbol.isspace() or symbol in HYPHENS))
    # ASCII only: upper() would turn a dotless i or a long s into a letter of the alphabet.
    upper = (symbol.upper() if symbol.isascii() else symbol for symbol in kept)
    return "".join(upper).translate(LOOK_ALIKES)


def normalise(text: str) -> str:
    """Return the 30 symbols that a person meant: what HKDF takes, in ASCII.

    Raises CryptoError if anything but 30 symbols of the alphabet remains after fold().
    """
    code = fold(text)
    if len(code) != SYMBOLS or not set(code) <= set(ALPHABET):
        raise CryptoError
    return code


def groups(code: str) -> list[str]:
    """Return six groups of five symbols, as shown on paper; raises as normalise() does."""
    symbols = normalise(code)
    return [symbols[start : start + GROUP] for start in range(0, SYMBOLS, GROUP)]
