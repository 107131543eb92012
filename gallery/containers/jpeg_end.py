"""Where the coded picture of a JPEG ends: nothing in the file says so, only a decoder notices.

A decoder stops when it has every pixel and skips whatever comes before the end mark: a text, or a
phone's trailer with places in it. So the data is cut ever shorter, and what follows the cut is
replaced by other bits; as long as the pixels stay the same, nothing of the picture went.
"""

from collections.abc import Callable

from gallery.containers.common import Entangled, Incomplete
from gallery.containers.jpeg import END_MARK

# Where the first bit that is missing is a 0, the one is read otherwise, else the other; and so it
# is left.
CONTINUATIONS = (b"\x55" * 8, b"\xaa" * 8, b"")
# Fewer bytes than this at the end are nobody's message, and a last code may not show.
NOTICED = 3


class Ending:
    """The last scan of a file, and how to find where it ends.

    `fingerprint` decodes a JPEG and returns a number of all its pixels; it is asked at most
    `decodes` times.
    """

    def __init__(
        self, data: bytes, scan: tuple[int, int], fingerprint: Callable[[bytes], int], decodes: int
    ) -> None:
        self.data, self.start, self.stop = data, *scan
        self.fingerprint, self.left = fingerprint, decodes
        self.whole = self._decoded(data[: self.stop] + END_MARK)

    def check_complete(self) -> None:
        """Raises Incomplete if more data would have changed the picture."""
        if not self._suffices(self.stop):
            raise Incomplete("pixels without data")

    def without_what_follows(self) -> bytes:
        """Return the file up to where its coded picture ends, and an end mark.

        Raises Entangled if finding that takes too long.
        """
        while (end := self._end()) < self.stop:
            self.stop = end
        return self.data[: self.stop] + END_MARK

    def _end(self) -> int:
        step = NOTICED
        low, high = self.stop - step, self.stop
        while low > self.start and self._suffices(low):
            step *= 4
            low, high = low - step, low
        if high == self.stop:
            return self.stop
        low = max(low, self.start)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._suffices(middle) else (middle, high)
        return high

    def _suffices(self, end: int) -> bool:
        stuffing = b"\0" if self.data[end - 1] == 0xFF else b""
        return all(
            self._decoded(self.data[:end] + stuffing + more + END_MARK) == self.whole
            for more in CONTINUATIONS
        )

    def _decoded(self, data: bytes) -> int:
        self.left -= 1
        if self.left < 0:
            raise Entangled("other bytes behind the picture")
        return self.fingerprint(data)
