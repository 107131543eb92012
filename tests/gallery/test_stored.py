"""Stored bytes are read twice: nothing that was changed before or in between is passed on."""

import hashlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from gallery import storage
from gallery.errors import Altered
from gallery.stored import PIECE_BYTES, Stored, verified

PIECES = 20
DATA = hashlib.shake_256(b"a picture").digest((PIECES - 1) * PIECE_BYTES + 4096)
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def stored(emptied_storage: None) -> tuple[str, Path]:
    name = storage.put(DATA)
    return name, Path(storage.sealed_storage().path(name))


def cut(number: int) -> tuple[bytes, bytes, bytes]:
    """Return what is before a piece, the piece, and what is behind it."""
    at = number * PIECE_BYTES
    return DATA[:at], DATA[at : at + PIECE_BYTES], DATA[at + PIECE_BYTES :]


def flipped(number: int) -> bytes:
    before, piece, behind = cut(number)
    return before + piece[:-1] + bytes([piece[-1] ^ 1]) + behind


def swapped(number: int) -> bytes:
    """Two blocks of AES change places."""
    before, piece, behind = cut(number)
    return before + piece[16:32] + piece[:16] + piece[32:] + behind


def repeated(number: int) -> bytes:
    before, piece, behind = cut(number)
    return before + piece + piece + behind[PIECE_BYTES:]


def cut_out(number: int) -> bytes:
    before, _, behind = cut(number)
    return before + behind


def cut_off(number: int) -> bytes:
    return cut(number)[0]


CHANGES = [flipped, swapped, repeated, cut_out, cut_off]


def open_it(name: str) -> Stored:
    return verified(name, length=len(DATA), digest=DIGEST)


@pytest.mark.django_db
def test_the_pieces_are_what_was_stored_from_wherever_one_begins(stored):
    name, _ = stored
    opened = open_it(name)
    for start in (0, 1, PIECE_BYTES - 1, PIECE_BYTES, 7 * PIECE_BYTES + 5, len(DATA) - 1):
        pieces, begin = opened.pieces(start)
        assert b"".join(pieces) == DATA[begin:]
        assert start - PIECE_BYTES < begin <= start
    assert opened.end == DATA[-32:]


@pytest.mark.attack("B1", "B2", "B3")
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_before_is_refused(stored, change: Callable[[int], bytes]):
    name, path = stored
    for number in range(PIECES):
        path.write_bytes(change(number))
        with pytest.raises(Altered):
            open_it(name)
    path.write_bytes(DATA + b"\0")
    with pytest.raises(Altered, match="altered"):
        open_it(name)


@pytest.mark.attack("F190")
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_between_the_readings_is_not_passed_on(
    stored, change: Callable[[int], bytes]
):
    name, path = stored
    for number in range(PIECES):
        path.write_bytes(DATA)
        opened = open_it(name)
        changed = change(number)
        path.write_bytes(changed)
        if changed.startswith(DATA):  # only longer now, and no more is read than was compared
            continue
        pieces, _ = opened.pieces(0)
        first_changed = number + 1 if change is repeated else number
        passed_on = b"".join(islice(pieces, first_changed))
        with pytest.raises(Altered) as error:
            next(pieces)
        assert error.value.step == "stored-changed"
        assert passed_on == DATA[: first_changed * PIECE_BYTES]


def test_what_is_deleted_between_the_readings_is_still_read(stored):
    """A re-lock deletes the bytes it replaced: an answer that began before goes on."""
    name, path = stored
    opened = open_it(name)
    path.unlink()
    assert b"".join(opened.pieces(0)[0]) == DATA


def test_one_piece_is_read_once(emptied_storage):
    data = DATA[:PIECE_BYTES]
    name = storage.put(data)
    opened = verified(name, length=len(data), digest=hashlib.sha256(data).hexdigest())
    Path(storage.sealed_storage().path(name)).write_bytes(bytes(PIECE_BYTES))
    assert b"".join(opened.pieces(0)[0]) == data


def test_a_name_that_is_none_is_nothing_stored(emptied_storage):
    for name in ("", "../keyfile", "00/" + "0" * 32):
        with pytest.raises(Altered) as error:
            verified(name, length=1, digest=DIGEST)
        assert error.value.step == "stored-missing"
