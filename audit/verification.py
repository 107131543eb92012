"""Whether the trail is what was recorded: the chain, the rows, their columns, the head, the file.

Reads in pieces and never holds the lock, so it may run beside a busy server. What it cannot see:
an end cut off table, head and file alike, and a whole trail made anew by whoever holds the audit
key. A copy kept elsewhere shows both (docs/operations.md).
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django.conf import settings

from audit import chain, file
from audit.file import Line
from audit.leaf import Personal
from audit.models import AuditEntry, AuditHead, PersonalFacts
from audit.table import columns
from cryptocore.errors import CryptoError

PIECE = 500  # rows or lines held at once
TORN = re.compile(rb'\{"[^\n]*[^}\n]\n')  # begins like a line of ours and breaks off

Thing = TypeVar("Thing")


class Kind(StrEnum):
    """What can be wrong: with the table, with its head, with the file."""

    EDITED = "entry was edited"
    DELETED = "entries were deleted"
    INSERTED = "entry was inserted"
    REORDERED = "entry is out of order"
    COLUMN_ALTERED = "a search column differs from the entry"
    KEY_UNKNOWN = "entry names an audit key that the key file does not hold"
    PERSONAL_ALTERED = "the personal facts differ from the entry"
    TABLE_TRUNCATED = "entries are missing from the end of the table"
    HEAD_ALTERED = "the head is not the newest entry's"
    FILE_TRUNCATED = "lines are missing from the end of the file"
    LINE_MISSING = "lines are missing from the file"
    LINE_EDITED = "line was edited"
    LINE_FOREIGN = "line is not ours"
    LINE_CONFLICTS = "file and table hold different entries under one number"
    LINE_WAITING = "line was written without the table and waits to be imported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: with entries `first` to `last`, or with line number `first` of the file."""

    kind: Kind
    first: int
    last: int

    def __str__(self) -> str:
        numbers = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.kind}: {numbers}"


def verify(*, start: int = 1) -> Iterator[Finding]:
    """Yield what is wrong with the entries from number `start` on.

    `start` later than 1 trusts everything before it, in table and file. Raises django.db.Error if
    the table is away, OSError if the file cannot be read.
    """
    # Read before the file: a line follows its row, so whatever the head counts has its line soon.
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first() or AuditHead(
        sequence=0, chain=chain.BEGINNING
    )
    yield from _TableCheck(start).run(head)
    yield from _FileCheck(start, head.sequence).run()


def is_authentic(entry: AuditEntry) -> bool:
    """Whether the audit key vouches for leaf and predecessor of this row."""
    try:
        key = settings.SERVER_KEYS.audit.get(entry.key_id)
        leaf_hash = chain.hash_leaf(bytes(entry.leaf))
        chain.check_link(bytes(entry.previous), leaf_hash, bytes(entry.chain), key)
    except (CryptoError, KeyError):
        return False
    return leaf_hash == bytes(entry.leaf_hash)


def entries_between(first: int, last: int) -> Iterator[AuditEntry]:
    """Yield the rows numbered `first` to `last`, in order, without holding the table open."""
    while first <= last:
        piece = list(
            AuditEntry.objects.filter(sequence__gte=first, sequence__lte=last).order_by("sequence")[
                :PIECE
            ]
        )
        if not piece:
            return
        yield from piece
        first = piece[-1].sequence + 1


class _TableCheck:
    """Walks the rows in order of their numbers. `before` is the chain value they must follow."""

    def __init__(self, start: int) -> None:
        self.expected = start
        self.before = _chain_before(start)
        self.unproven: list[AuditEntry] = []  # since `before`, vouched for by no key

    def run(self, head: AuditHead) -> Iterator[Finding]:
        for piece in in_pieces(entries_between(self.expected, head.sequence)):
            kept = PersonalFacts.objects.in_bulk([entry.pk for entry in piece])
            for entry in piece:
                yield from self._check(entry, kept.get(entry.pk))
        yield from self._check_end(head)

    def _check(self, entry: AuditEntry, kept: PersonalFacts | None) -> Iterator[Finding]:
        gap = entry.sequence - self.expected
        if gap:
            yield Finding(Kind.DELETED, self.expected, entry.sequence - 1)
        self.expected = entry.sequence + 1
        if not is_authentic(entry):
            self.unproven.append(entry)
            if len(self.unproven) == PIECE:
                yield from self._judge_unproven(Kind.EDITED)
            return
        yield from self._check_place(entry, explained=bool(gap))
        yield from _check_copies(entry, kept)
        self.before = bytes(entry.chain)

    def _check_place(self, entry: AuditEntry, *, explained: bool) -> Iterator[Finding]:
        """Compare the proven predecessor with the row before; tell how it came apart if not."""
        previous = bytes(entry.previous)
        follows = self.before is None or previous == self.before
        if self.unproven:
            # The next proven entry follows the last proven one: those between never belonged.
            yield from self._judge_unproven(Kind.INSERTED if follows else Kind.EDITED)
        elif not follows and AuditEntry.objects.filter(chain=previous).exists():
            yield Finding(Kind.REORDERED, entry.sequence, entry.sequence)
        elif not follows and not explained:
            yield Finding(Kind.DELETED, entry.sequence, entry.sequence)

    def _judge_unproven(self, kind: Kind) -> Iterator[Finding]:
        for entry in self.unproven:
            known = entry.key_id in settings.SERVER_KEYS.audit.ids
            yield Finding(kind if known else Kind.KEY_UNKNOWN, entry.sequence, entry.sequence)
        self.unproven = []

    def _check_end(self, head: AuditHead) -> Iterator[Finding]:
        ends_here = self.before in (None, bytes(head.chain))
        if self.unproven:
            yield from self._judge_unproven(Kind.INSERTED if ends_here else Kind.EDITED)
        elif self.expected <= head.sequence:
            yield Finding(Kind.TABLE_TRUNCATED, self.expected, head.sequence)
        elif not ends_here:
            yield Finding(Kind.HEAD_ALTERED, head.sequence, head.sequence)
        yield from _check_beyond_head()


def _chain_before(start: int) -> bytes | None:
    """Return the chain value before number `start`, None if its row is gone (it is trusted)."""
    if start <= 1:
        return chain.BEGINNING
    entry = AuditEntry.objects.filter(sequence=start - 1).first()
    return bytes(entry.chain) if entry else None


def _check_beyond_head() -> Iterator[Finding]:
    """Rows and head are written together: no row may be newer, read in this order."""
    newest = AuditEntry.objects.order_by("-sequence").first()
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
    counted = head.sequence if head else 0
    if newest is not None and newest.sequence > counted:
        beyond = AuditEntry.objects.filter(sequence__gt=counted).order_by("sequence")[:PIECE]
        kind = Kind.HEAD_ALTERED if any(map(is_authentic, beyond)) else Kind.INSERTED
        yield Finding(kind, counted + 1, newest.sequence)


def _check_copies(entry: AuditEntry, kept: PersonalFacts | None) -> Iterator[Finding]:
    """Compare what repeats or completes the leaf with it: search columns, personal facts."""
    try:
        leaf = entry.told()
    except CryptoError:
        yield Finding(Kind.EDITED, entry.sequence, entry.sequence)
        return
    if any(getattr(entry, name) != value for name, value in columns(leaf).items()):
        yield Finding(Kind.COLUMN_ALTERED, entry.sequence, entry.sequence)
    if kept is not None and _digest(kept) != leaf.personal:
        yield Finding(Kind.PERSONAL_ALTERED, entry.sequence, entry.sequence)


def _digest(kept: PersonalFacts) -> str | None:
    """Return the digest the leaf must hold; "" of facts we could not have written."""
    try:
        return Personal(bytes(kept.salt), kept.address, kept.agent).digest()
    except (TypeError, ValueError):
        return ""


class _FileCheck:
    """Walks the lines in whatever order they come.

    Their order says nothing: writers race to the file, and reconciling appends old lines. Each
    line names its number and predecessor, and its chain value covers all before it.
    """

    def __init__(self, start: int, newest: int) -> None:
        self.start = start
        self.seen = NumberSet(start, newest)
        self.beyond_table: tuple[int, int] | None = None

    def run(self) -> Iterator[Finding]:
        for piece in in_pieces(enumerate(file.read_lines(), start=1)):
            yield from self._check_piece(piece)
        if self.beyond_table:
            yield Finding(Kind.TABLE_TRUNCATED, *self.beyond_table)
        for first, last in self.seen.missing():
            at_end = last == self.seen.last
            yield Finding(Kind.FILE_TRUNCATED if at_end else Kind.LINE_MISSING, first, last)

    def _check_piece(self, piece: list[tuple[int, bytes]]) -> Iterator[Finding]:
        # A power cut breaks a line off; it claims nothing, and what it lacks is found missing.
        lines = [(number, parse_or_none(data)) for number, data in piece if not TORN.match(data)]
        rows = rows_of(line for _, line in lines)
        imported = imported_hashes(line for _, line in lines)
        for number, line in lines:
            if kind := self._judge(line, rows, imported):
                yield Finding(kind, number, number)

    def _judge(
        self, line: Line | None, rows: dict[int, AuditEntry], imported: set[bytes]
    ) -> Kind | None:
        if line is None:
            return Kind.LINE_FOREIGN
        if line.sequence is None:
            return _judge_without_number(line, imported)
        if line.sequence < self.start:
            return None
        return self._judge_numbered(line, line.sequence, rows.get(line.sequence))

    def _judge_numbered(self, line: Line, sequence: int, row: AuditEntry | None) -> Kind | None:
        is_the_rows = row is not None and Line.of_entry(row) == line
        if not is_the_rows and not is_vouched_for(line):
            return self._judge_unproven(sequence, row)
        self.seen.add(sequence)
        if row is None:
            self._note_beyond_table(sequence)
        # A row nobody vouches for has been found already.
        conflicts = row is not None and not is_the_rows and is_authentic(row)
        return Kind.LINE_CONFLICTS if conflicts else None

    def _judge_unproven(self, sequence: int, row: AuditEntry | None) -> Kind:
        if row is None:
            return Kind.LINE_FOREIGN
        self.seen.add(sequence)
        return Kind.LINE_EDITED

    def _note_beyond_table(self, sequence: int) -> None:
        """Widen the range of numbers that only the file has. Gaps before its end are known."""
        if sequence > self.seen.last:
            first, last = self.beyond_table or (sequence, sequence)
            self.beyond_table = min(first, sequence), max(last, sequence)


def _judge_without_number(line: Line, imported: set[bytes]) -> Kind | None:
    if not is_vouched_for(line):
        return Kind.LINE_FOREIGN
    return None if chain.hash_leaf(line.leaf) in imported else Kind.LINE_WAITING


def parse_or_none(data: bytes) -> Line | None:
    try:
        return Line.parse(data)
    except CryptoError:
        return None


def is_vouched_for(line: Line) -> bool:
    try:
        line.check()
    except CryptoError:
        return False
    return True


def rows_of(lines: Iterable[Line | None]) -> dict[int, AuditEntry]:
    """Return the rows that `lines` name, by number."""
    numbers = [line.sequence for line in lines if line and line.sequence is not None]
    return AuditEntry.objects.in_bulk(numbers)


def imported_hashes(lines: Iterable[Line | None]) -> set[bytes]:
    """Return the leaf hashes of those unnumbered `lines` that the table holds."""
    hashes = [chain.hash_leaf(line.leaf) for line in lines if line and line.sequence is None]
    found = AuditEntry.objects.filter(leaf_hash__in=hashes).values_list("leaf_hash", flat=True)
    return {bytes(leaf_hash) for leaf_hash in found}


class NumberSet:
    """The numbers `first` to `last`, one bit each: 8 million entries take 1 MB."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self._bits = bytearray((max(0, last - first + 1) + 7) // 8)

    def add(self, number: int) -> None:
        """Note a number; one outside the range is none of ours."""
        if self.first <= number <= self.last:
            byte, bit = divmod(number - self.first, 8)
            self._bits[byte] |= 1 << bit

    def __contains__(self, number: int) -> bool:
        byte, bit = divmod(number - self.first, 8)
        return bool(self._bits[byte] & 1 << bit)

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges (first, last) of numbers not added."""
        begin = None
        for number in range(self.first, self.last + 2):
            absent = number <= self.last and number not in self
            if absent and begin is None:
                begin = number
            elif not absent and begin is not None:
                yield begin, number - 1
                begin = None


def in_pieces(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Yield `things` in lists of at most PIECE."""
    rest = iter(things)
    while piece := list(itertools.islice(rest, PIECE)):
        yield piece
