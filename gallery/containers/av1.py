"""AV1, as far as sequence headers go: the largest frame one allows, and what its colours are.

The container states a size too, and nothing makes the two agree: a file of 3.5 KB that said 64 by
48 made the decoder fill 16000 by 16000 pixels (536 MB) before anybody could compare.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gallery.containers.common import Incomplete, Malformed, bounded, number

SEQUENCE_HEADER = 1
# Size comes after at most 32 operating points of 12 bytes each.
MAX_HEADER_BYTES = 512


class Bits:
    """Reads bits from the highest down."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.bits = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise Malformed("a header too short")
        return self.bits >> self.left & (1 << count) - 1

    def take_variable(self) -> int:
        """uvlc() of AV1 §4.10.3."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return self.take(zeros) + (1 << zeros) - 1 if zeros < 32 else 2**32 - 1


class Sequence(NamedTuple):
    """What a sequence header says: a size, and primaries and transfer (H.273) if it does."""

    size: tuple[int, int]
    colour: tuple[int, int] | None


def sequences(stream: bytes | memoryview) -> Iterator[Sequence]:
    """Yield every sequence header of a stream of OBUs (AV1 §5.3, §5.5)."""
    for kind, payload in bounded(_units(memoryview(stream))):
        if kind == SEQUENCE_HEADER:
            yield _sequence(Bits(payload[:MAX_HEADER_BYTES]))


def _units(stream: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(stream):
        header = stream[at]
        at += 2 if header & 4 else 1
        length = len(stream) - at
        if header & 2:
            length, at = _leb128(stream, at)
        if not 0 <= length <= len(stream) - at:
            raise Incomplete("a unit beyond the end")
        yield header >> 3 & 15, stream[at : at + length]
        at += length


def _leb128(stream: memoryview, at: int) -> tuple[int, int]:
    """Return a number of at most 8 bytes, and where it ends (AV1 §4.10.5)."""
    value = 0
    for position in range(8):
        byte = number(stream, at + position, 1)
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise Malformed("a length too long")


def _sequence(bits: Bits) -> Sequence:
    profile = bits.take(3)
    bits.take(1)  # still picture
    reduced = bool(bits.take(1))
    if reduced:
        bits.take(5)  # level
    else:
        _skip_to_size(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    size = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    try:
        _skip_to_colour(bits, reduced)
        # color_config() (AV1 §5.5.2)
        if bits.take(1) and profile == 2:
            bits.take(1)
        if profile != 1:
            bits.take(1)  # grey
        colour = (bits.take(8), bits.take(8)) if bits.take(1) else None
    except Malformed:  # decoders judge what follows the size
        colour = None
    return Sequence(size, colour)


def _skip_to_size(bits: Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing info
        bits.take(32 + 32)
        if bits.take(1):  # equal picture interval
            bits.take_variable()
        if bits.take(1):  # decoder model
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    has_display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)  # an operating point
        if bits.take(5) > 7:
            bits.take(1)  # tier
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if has_display_delay and bits.take(1):
            bits.take(4)


def _skip_to_colour(bits: Bits, reduced: bool) -> None:
    """The tools between size and color_config() (AV1 §5.5.1)."""
    if not reduced and bits.take(1):  # numbers of frames
        bits.take(4 + 3)
    bits.take(1 + 1 + 1)  # blocks of 128, filters within frames
    if not reduced:
        bits.take(1 + 1 + 1 + 1)
        has_order = bits.take(1)
        bits.take(2 * has_order)
        screen_content = 2 if bits.take(1) else bits.take(1)
        if screen_content and not bits.take(1):
            bits.take(1)
        bits.take(3 * has_order)
    bits.take(1 + 1 + 1)  # super-resolution and two filters behind it
