"""What every refusal of cryptocore looks like from outside."""

from collections.abc import Callable
from typing import Any

import pytest

from cryptocore.errors import MESSAGE, CryptoError


def assert_refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Check that the call raises CryptoError, with the one message and nothing behind it."""
    with pytest.raises(CryptoError) as refusal:
        call(*arguments, **options)
    assert type(refusal.value) is CryptoError
    assert refusal.value.args == (MESSAGE,)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__


def flipped(data: bytes, bit: int) -> bytes:
    """Return `data` with one bit turned over, counted from the first byte's lowest."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
