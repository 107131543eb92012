from itertools import pairwise
from uuid import UUID

import pytest

from cryptocore.context import context
from cryptocore.errors import CryptoError

IMAGE = UUID("6f1b0a52-3c0e-4e0b-9a43-7d5a0c1f2e11")
DIGEST = bytes(range(32))


@pytest.mark.parametrize(
    "purpose", ["", "Content-Key", "content key", "a\x00b", "a/", "/a", "a--b", "ä", "a\n"]
)
def test_a_purpose_outside_the_alphabet_is_refused(purpose):
    with pytest.raises(ValueError, match="a purpose is"):
        context(purpose)


@pytest.mark.parametrize("field", [True, "text", 1.0, None])
def test_a_field_of_another_type_is_a_mistake(field):
    with pytest.raises(TypeError):
        context("content-key", field)


@pytest.mark.parametrize("field", [b"", bytes(31), bytes(33), -1, 2**32])
def test_a_field_of_another_width_is_refused_as_any_altered_row(field):
    with pytest.raises(CryptoError):
        context("content-key", field)


def test_the_bytes_are_prefix_purpose_zero_and_fixed_width_fields():
    assert context("content-key", IMAGE, 7, DIGEST) == (
        b"imageshare/v1/content-key\x00" + IMAGE.bytes + b"\x00\x00\x00\x07" + DIGEST
    )


def test_no_purpose_is_the_beginning_of_another():
    made = sorted(context(purpose) for purpose in ("plain", "plain/original", "plain-original"))
    assert not any(longer.startswith(shorter) for shorter, longer in pairwise(made))


def test_the_smallest_and_the_largest_number_take_four_bytes():
    assert context("x", 0).endswith(b"\x00\x00\x00\x00\x00")
    assert context("x", 2**32 - 1).endswith(b"\xff\xff\xff\xff")
