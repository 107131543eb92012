"""Columns that may be keys, in rows that SQLite keeps but no longer shows: freed pages, the log.

A row is the length of its record, its number and the record: the length of the record's header, the
type of each column, the columns (https://www.sqlite.org/fileformat2.html, "B-tree Pages" and
"Record Format"). If both lengths fit the bytes there, a row was there; so not every 32 bytes need
be tried. A row deleted alone, out of a page that stays in use, has lost its first bytes to SQLite
and is not recognised. Keys in hex are looked for, too: text runs into the text beside it.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

KEY_TYPES = (12 + 2 * 32, 13 + 2 * 64)  # a blob of 32 bytes, a text of 64 characters
KEY_MARKS = re.compile(rb"\x4c|\x81\x0d")  # the same as varints
FIXED_BYTES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # of the types below 10; 10 and 11 are none
HEADER_BYTES = 40  # no table here has more columns
NUMBER_BYTES = 4  # of a varint: longer ones are no lengths, and no row numbers here


def keys_in(data: bytes) -> Iterator[bytes]:
    """Yield every column as long as a key, of what looks like a whole row in `data`."""
    for mark in KEY_MARKS.finditer(data):
        at = mark.start()
        for start in range(max(0, at - HEADER_BYTES), at):
            if at - start < data[start] <= HEADER_BYTES:
                yield from _keys_of(data, start)


def _keys_of(data: bytes, start: int) -> Iterator[bytes]:
    """Yield the keys of the record whose header begins at `start`, if there is one."""
    at, end, types = start + 1, start + data[start], []
    while at < end <= len(data):
        kind, at = _number(data, at)
        types.append(kind)
    if at != end or not types or {10, 11} & set(types):  # a header is as long as it says
        return
    sizes = [_size(kind) for kind in types]
    if not _is_row(data, start, data[start] + sum(sizes)):
        return
    for kind, at in zip(types, accumulate(sizes, initial=start + data[start]), strict=False):
        if kind in KEY_TYPES:
            yield data[at : at + _size(kind)]


def _size(kind: int) -> int:
    return FIXED_BYTES[kind] if kind < len(FIXED_BYTES) else (kind - 12) // 2


def _is_row(data: bytes, start: int, length: int) -> bool:
    """Whether a record of this length and a row's number are announced just before it."""
    for row in range(max(0, start - 2 * NUMBER_BYTES), start - 1):
        told, after = _number(data, row)
        if told == length and _number(data, after)[1] == start:
            return True
    return False


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint at `at` and where it ends."""
    number = 0
    for byte in data[at : at + NUMBER_BYTES]:
        number, at = number << 7 | byte & 127, at + 1
        if byte < 128:
            break
    return number, at
