"""Fingerprints as people read and compare them."""

import hashlib
from functools import cache
from itertools import groupby
from pathlib import Path

import segno

WORDS = 8
BITS_PER_WORD = 11
# The 2048 English words of BIP 39, each on a line (accounts/words/LICENSE), and their SHA-256:
# another list would give other words to two people who compare, and both would believe that a key
# was exchanged.
LIST = Path(__file__).parent / "words" / "english.txt"
ENGLISH = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


class WrongWords(Exception):
    """The word list that is here is not the one of BIP 39."""


def grouped(fingerprint: str) -> str:
    """Return a fingerprint (hex) in groups of four, as one reads it aloud."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4)).upper()


def words(fingerprint: str) -> list[str]:
    """Return the first 88 bits of a fingerprint (hex) as eight words, to be read out by phone.

    Who wants another key with the same eight words has to make some 2**88 key pairs.
    """
    bits = int(fingerprint, 16)
    shifts = range(256 - BITS_PER_WORD, 256 - BITS_PER_WORD * (WORDS + 1), -BITS_PER_WORD)
    return [_english()[bits >> shift & 2**BITS_PER_WORD - 1] for shift in shifts]


@cache
def _english() -> list[str]:
    listed = LIST.read_bytes()
    if hashlib.sha256(listed).hexdigest() != ENGLISH:
        raise WrongWords
    return listed.decode().split()


def qr_code(fingerprint: str) -> tuple[int, str]:
    """Return a QR code of the grouped fingerprint: its width in modules and an SVG path of them.

    The groups are in the small alphabet of QR codes, so a telephone's camera shows the same text
    as the page. A path rather than ready markup: no template has to believe markup.
    """
    rows = segno.make(grouped(fingerprint), error="m", micro=False, boost_error=False).matrix
    steps: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                steps.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return len(rows), "".join(steps)
