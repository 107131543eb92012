"""Bringing table and file together after one of them was away."""

from dataclasses import dataclass

from audit import chain, file, table
from audit.file import Line
from audit.models import AuditEntry
from audit.verification import (
    NumberSet,
    entries_between,
    imported_hashes,
    in_pieces,
    is_vouched_for,
    parse_or_none,
    read_head,
    rows_of,
)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many lines the table took, and how many entries the file took."""

    imported: int
    restored: int


def reconcile(*, start: int = 1) -> Reconciled:
    """Append to the table each line written without it, then to the file each entry it lacks.

    Nothing is changed or removed, and nothing taken over that the audit key does not vouch for. A
    line keeps its leaf, so the time in it is when it happened; its number says when it was
    imported. Doing it twice adds nothing. Raises django.db.Error or OSError if either is away.
    """
    imported = restored = 0
    for piece in in_pieces(file.read_lines()):
        lines = [line for line in map(parse_or_none, piece) if line and line.sequence is None]
        known = imported_hashes(lines)
        for line in lines:
            if chain.hash_leaf(line.leaf) not in known and is_vouched_for(line):
                imported += table.append_once(line.leaf) is not None
    present = _numbers_in_file(start, read_head().sequence)
    for first, last in present.missing():
        for entry in filter(AuditEntry.is_authentic, entries_between(first, last)):
            file.append(Line.of_entry(entry))
            restored += 1
    return Reconciled(imported, restored)


def _numbers_in_file(first: int, last: int) -> NumberSet:
    """Return the numbers of the entries that have their own line."""
    present = NumberSet(first, last)
    for piece in in_pieces(file.read_lines()):
        lines = [line for line in map(parse_or_none, piece) if line]
        rows = rows_of(lines)
        for line in lines:
            row = None if line.sequence is None else rows.get(line.sequence)
            if row is not None and Line.of_entry(row) == line:
                present.add(row.sequence)
    return present
