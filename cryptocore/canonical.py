"""JSON with exactly one encoding for each value (docs/format.md, "Canonical JSON").

Objects have sorted keys and no spaces, text is UTF-8, numbers are integers below 2**53 in
size: the numbers every JSON reader agrees on (RFC 8259 §6).
"""

import json
from collections.abc import Iterable
from typing import Any

from cryptocore.errors import CryptoError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 4
INTEGER_LIMIT = 2**53


def encode(
    value: dict[str, Any], *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> bytes:
    """Return the one encoding of `value`; raise ValueError or TypeError if it has none."""
    if type(value) is not dict:
        raise TypeError("only an object stands on its own")
    _check(value, max_depth)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    data = text.encode("utf-8")
    if len(data) > max_bytes:
        raise ValueError(f"longer than {max_bytes} bytes")
    return data


def decode(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> dict[str, Any]:
    """Return the object that `data` is the canonical encoding of.

    Encodes it again and compares, so a second spelling of a signed value does not exist: that
    is what refuses spaces, a key given twice and needless escapes. Raises CryptoError for
    these and for everything that encode() refuses.
    """
    if len(data) > max_bytes:
        raise CryptoError
    try:
        value: dict[str, Any] = json.loads(data.decode("utf-8"))
        again = encode(value, max_bytes=max_bytes, max_depth=max_depth)
    # RecursionError: thousands of opening brackets.
    except (ValueError, TypeError, RecursionError):
        raise CryptoError from None
    if again != data:
        raise CryptoError
    return value


def _check(value: object, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth == 0:
            raise ValueError("nested too deeply")
        if isinstance(value, dict) and not all(type(key) is str for key in value):
            raise TypeError("keys are text")
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for item in items:
            _check(item, depth - 1)
    elif type(value) is int:
        if abs(value) >= INTEGER_LIMIT:
            raise ValueError("an integer is below 2**53")
    elif not (value is None or type(value) in (bool, str)):
        raise TypeError(f"{type(value).__name__} has no canonical form")
