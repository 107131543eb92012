import pytest

from cryptocore.context import context
from cryptocore.kdf import derive_key

SECRET = bytes(range(32))


def test_nothing_is_no_secret():
    with pytest.raises(ValueError, match="nothing"):
        derive_key(b"", b"info")


def test_another_secret_purpose_or_salt_gives_another_key():
    keys = {
        derive_key(SECRET, context("a")),
        derive_key(SECRET, context("b")),
        derive_key(SECRET[::-1], context("a")),
        derive_key(SECRET, context("a"), salt=b"salt"),
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_no_salt_is_thirty_two_zero_bytes():
    assert derive_key(SECRET, b"info") == derive_key(SECRET, b"info", salt=bytes(32))
