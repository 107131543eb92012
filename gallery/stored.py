"""Stored bytes that are the signed ones, however large, of which a piece at a time is in memory.

They are read twice. The first reading compares length and SHA-256 with what the owner signed, and
keeps the state of the hash after each piece. The second, while the answer leaves, goes on from
these states: a piece that does not lead from one to the next was changed in between, and is never
decrypted. As long as SHA-256 has no collisions, that is as strong as holding what was compared.
What fits in one piece is held, and read once.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptocore.content import END_BYTES, PIECE_BYTES
from gallery import storage
from gallery.errors import Altered

CHANGED = "stored-changed"


@dataclass(frozen=True)
class Stored:
    """Bytes whose length and digest are the signed ones; `end` are the last 32 of them."""

    length: int
    digest: str
    end: bytes = field(repr=False)
    _states: list["hashlib._Hash"] = field(repr=False)  # before each piece, and after the last
    _file: storage.Reading = field(repr=False)
    _only_piece: bytes | None = field(repr=False)

    def pieces(self, start: int) -> tuple[Iterator[bytes], int]:
        """Return the pieces from the one with the byte `start` on, and where that one begins.

        The iterator raises Altered for a piece that is not what it was, or StorageAway.
        """
        first = start // PIECE_BYTES
        if self._only_piece is not None:
            return iter([self._only_piece]), 0
        return self._read_again(first), first * PIECE_BYTES

    def _read_again(self, first: int) -> Iterator[bytes]:
        for number in range(first, len(self._states) - 1):
            with storage.away_if_it_fails():
                self._file.seek(number * PIECE_BYTES)
                piece = self._file.read(min(PIECE_BYTES, self.length - number * PIECE_BYTES))
            state = self._states[number].copy()
            state.update(piece)
            if not secrets.compare_digest(state.digest(), self._states[number + 1].digest()):
                raise Altered(CHANGED)
            yield piece


def verified(name: str, *, length: int, digest: str) -> Stored:
    """Return what is stored under a name, if it has this length and SHA-256 (in hex).

    Raises Altered or StorageAway.
    """
    file = storage.reading(name)
    if file is None:
        raise Altered("stored-missing")
    state, read, end, piece = hashlib.sha256(), 0, b"", b""
    states = [state.copy()]
    with storage.away_if_it_fails():
        # One byte more than was signed is enough to see that a file was extended.
        while piece_read := file.read(min(PIECE_BYTES, length + 1 - read)):
            piece = piece_read
            state.update(piece)
            states.append(state.copy())
            read, end = read + len(piece), (end + piece)[-END_BYTES:]
    if read != length:
        raise Altered("stored-length")
    if not secrets.compare_digest(state.hexdigest(), digest):
        raise Altered("stored-digest")
    return Stored(length, digest, end, states, file, piece if len(states) == 2 else None)
