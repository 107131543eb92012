"""Keys in rows that SQLite no longer shows are found, and what is no row is not tried."""

import sqlite3
from contextlib import closing

import pytest

from gallery.zero_access.cells import keys_in

KEY = bytes(range(100, 132))
NEIGHBOURS = {
    "alone": [],
    "after short columns": [None, 1, 0.5, "x", b"y"],
    "after a number of each size": [2 ** (8 * n) - 9 for n in (1, 2, 3, 4, 6)],
    "after a long text": ["x" * 700],
    "after another key": [KEY[::-1]],
}


def dropped(path, *columns) -> bytes:
    """The file of a database in which a table with one such row was made and dropped."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete=OFF")
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        database.execute(f"CREATE TABLE left ({names})")
        database.execute(f"INSERT INTO left VALUES ({', '.join('?' * len(columns))})", columns)
        database.execute("DROP TABLE left")
    return path.read_bytes()


@pytest.mark.parametrize("before", NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_a_key_in_a_freed_page_is_found(tmp_path, before):
    file = dropped(tmp_path / "left.db", *before, KEY, "text", KEY.hex(), "more")
    assert {KEY, KEY.hex().encode()} <= set(keys_in(file))


@pytest.mark.parametrize("other", [KEY[1:], KEY + b"x", KEY.hex()[1:], "x" * 32])
def test_what_is_not_as_long_as_a_key_is_none(tmp_path, other):
    assert list(keys_in(dropped(tmp_path / "left.db", other))) == []


def test_bytes_that_are_no_row_are_none():
    """Headers without a row, and cut off anywhere: nothing is made up, and nothing breaks."""
    row = bytes([34, 1, 2, 76]) + KEY
    assert list(keys_in(row)) == [KEY]
    assert list(keys_in(bytes([35]) + row[1:])) == []
    for end in range(len(row)):
        assert KEY not in keys_in(row[:end])
    assert list(keys_in(bytes([76]) * 1000)) == []
