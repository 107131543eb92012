"""Fingerprints as people read and compare them."""


def grouped(fingerprint: str) -> str:
    """Return a fingerprint (hex) in groups of four, as one reads it aloud."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4)).upper()
