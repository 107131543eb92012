"""Whether the trail is what was recorded: the chain, the rows, their columns, the head, the file.

Reads in pieces and never holds the head, so it may run beside a busy server. What it cannot see: an
end cut off table, head and file at the same place, and a whole trail written again by somebody who
holds the audit key. A copy kept elsewhere shows both (docs/operations.md).
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Q

from audit import chain, file
from audit.file import Line
from audit.leaf import Personal
from audit.models import AuditEntry, AuditHead, PersonalFacts
from audit.table import SEARCH_COLUMNS, columns
from cryptocore.errors import CryptoError

PIECE = 500  # rows or lines held at once
PAGE_BITS = 8192
NEWEST = 2**63 - 1  # as `last` of entries_between: to the end, whatever the head says
TORN = re.compile(rb'\{"[^\n]*[^}\n]\n')  # begins like a line of ours and breaks off
NUMBER = re.compile(rb'"sequence":([0-9]{1,18})\}\n?\Z')  # where a line of ours ends

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
    head = read_head()
    yield from _TableCheck(start).run(head)
    yield from _FileCheck(start, head.sequence).run()


def read_head() -> AuditHead:
    """Return the head; that of an empty trail where there is none, or it counts no entries."""
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first()
    if head is None or type(head.sequence) is not int:
        return AuditHead(sequence=0, chain=chain.BEGINNING)
    return head


def entries_between(first: int, last: int) -> Iterator[AuditEntry]:
    """Yield the rows numbered `first` to `last`, in order, without holding the table open."""
    while first <= last:
        numbered = AuditEntry.objects.proofs().filter(sequence__gte=first, sequence__lte=last)
        piece = list(numbered.order_by("sequence")[:PIECE])
        if not piece:
            return
        yield from piece
        # A number that cannot be read is smaller than every other.
        first = max(first, *(entry.sequence for entry in piece)) + 1


class _TableCheck:
    """Walks the rows in order of their numbers. `before` is the chain value they must follow."""

    def __init__(self, start: int) -> None:
        self.expected = start
        self.before: bytes | None = chain.BEGINNING
        if start > 1:  # what came before is trusted, also where its row is gone
            entry = AuditEntry.objects.proofs().filter(sequence=start - 1).first()
            self.before = entry.chain if entry else None
        self.unproven: list[AuditEntry] = []  # since `before`, vouched for by no key

    def run(self, head: AuditHead) -> Iterator[Finding]:
        for piece in in_pieces(entries_between(self.expected, head.sequence)):
            copies = _Copies([entry.pk for entry in piece])
            for entry in piece:
                yield from self._check(entry, copies)
        yield from self._check_end(head)

    def _check(self, entry: AuditEntry, copies: "_Copies") -> Iterator[Finding]:
        gap = entry.sequence - self.expected
        if gap:
            yield Finding(Kind.DELETED, self.expected, entry.sequence - 1)
        self.expected = entry.sequence + 1
        if not entry.is_authentic():
            self.unproven.append(entry)
            if len(self.unproven) == PIECE:
                yield from self._judge_unproven(Kind.EDITED)
            return
        yield from self._check_place(entry, explained=bool(gap))
        yield from copies.check(entry)
        self.before = entry.chain

    def _check_place(self, entry: AuditEntry, *, explained: bool) -> Iterator[Finding]:
        """Compare the proven predecessor with the row before; if they differ, say how."""
        previous = entry.previous
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
        ends_here = self.before in (None, head.chain)
        explained = bool(self.unproven)
        yield from self._judge_unproven(Kind.INSERTED if ends_here else Kind.EDITED)
        if self.expected <= head.sequence:
            yield Finding(Kind.TABLE_TRUNCATED, self.expected, head.sequence)
        elif not ends_here and not explained:
            yield Finding(Kind.HEAD_ALTERED, head.sequence, head.sequence)
        yield from _check_outside()


def _check_outside() -> Iterator[Finding]:
    """Look for rows numbered below the first or above the head's, where none can be."""
    counted = read_head().sequence
    where_none_can_be = Q(sequence__lt=1) | Q(sequence__gt=counted)
    rows = list(AuditEntry.objects.proofs().filter(where_none_can_be).order_by("sequence")[:PIECE])
    # Read once more: entries may have been added since.
    counted = read_head().sequence
    # SQLite takes text for a number.
    outside = [row for row in rows if type(row.sequence) is not int or row.sequence > counted]
    outside += [row for row in rows if type(row.sequence) is int and row.sequence < 1]
    if outside:
        kind = Kind.HEAD_ALTERED if any(row.is_authentic() for row in outside) else Kind.INSERTED
        yield Finding(kind, outside[0].sequence, outside[-1].sequence)


class _Copies:
    """What repeats or completes the leaves of some entries: search columns, personal facts."""

    def __init__(self, numbers: list[int]) -> None:
        self.columns = _columns_of(numbers)
        self.personal_facts = PersonalFacts.objects.in_bulk(numbers)

    def check(self, entry: AuditEntry) -> Iterator[Finding]:
        try:
            leaf = entry.parsed()
        except CryptoError:
            yield Finding(Kind.EDITED, entry.sequence, entry.sequence)
            return
        if self.columns.get(entry.sequence) != columns(leaf):
            yield Finding(Kind.COLUMN_ALTERED, entry.sequence, entry.sequence)
        kept = self.personal_facts.get(entry.sequence)
        if kept is None:
            return
        try:
            digest = Personal(kept.salt, kept.address, kept.agent).digest()
        except (TypeError, ValueError):
            digest = ""  # facts we could not have written
        if digest != leaf.personal:
            yield Finding(Kind.PERSONAL_ALTERED, entry.sequence, entry.sequence)


def _columns_of(numbers: list[int]) -> dict[int, dict[str, Any]]:
    """Return the search columns by number, without rows where Django cannot read one."""
    rows = AuditEntry.objects.filter(pk__in=numbers).values("sequence", *SEARCH_COLUMNS)
    try:
        return {row.pop("sequence"): row for row in rows}
    except (ValueError, TypeError, AttributeError):
        if len(numbers) == 1:
            return {}
        half = len(numbers) // 2
        return _columns_of(numbers[:half]) | _columns_of(numbers[half:])


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
        lines = []
        for number, data in piece:
            # Without parsing it: a line that claims a number before `start` is trusted.
            claimed = NUMBER.search(data)
            is_earlier = claimed is not None and int(claimed[1]) < self.start
            # A power cut breaks a line off; it claims nothing, and what it lacks is found missing.
            if not (is_earlier or TORN.match(data)):
                lines.append((number, parse_or_none(data)))
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
            if not is_vouched_for(line):
                return Kind.LINE_FOREIGN
            return None if chain.hash_leaf(line.leaf) in imported else Kind.LINE_WAITING
        return self._judge_numbered(line, line.sequence, rows.get(line.sequence))

    def _judge_numbered(self, line: Line, sequence: int, row: AuditEntry | None) -> Kind | None:
        is_the_rows = row is not None and Line.of_entry(row) == line
        if not is_the_rows and not is_vouched_for(line):
            return self._judge_unproven(sequence, row)
        self.seen.add(sequence)
        if row is None and sequence > self.seen.last:
            # Only the file has it. Gaps before the end of the table are known.
            first, last = self.beyond_table or (sequence, sequence)
            self.beyond_table = min(first, sequence), max(last, sequence)
        # A row nobody vouches for has been found already.
        conflicts = row is not None and not is_the_rows and row.is_authentic()
        return Kind.LINE_CONFLICTS if conflicts else None

    def _judge_unproven(self, sequence: int, row: AuditEntry | None) -> Kind:
        if row is None:
            return Kind.LINE_FOREIGN
        self.seen.add(sequence)
        return Kind.LINE_EDITED


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
    return AuditEntry.objects.proofs().in_bulk(numbers)


def imported_hashes(lines: Iterable[Line | None]) -> set[bytes]:
    """Return the leaf hashes of those unnumbered `lines` that the table holds."""
    hashes = [chain.hash_leaf(line.leaf) for line in lines if line and line.sequence is None]
    found = AuditEntry.objects.filter(leaf_hash__in=hashes).values_list("leaf_hash", flat=True)
    return set(map(bytes, found))


class NumberSet:
    """Some of the numbers `first` to `last`, one bit each: 8 million that lie close take 1 MB.

    Room is made where numbers are, so that a head altered to 2**62 takes none.
    """

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        """Note a number; one outside the range is not ours."""
        if self.first <= number <= self.last:
            page, bit = divmod(number, PAGE_BITS)
            octets = self._pages.setdefault(page, bytearray(PAGE_BITS // 8))
            octets[bit // 8] |= 1 << bit % 8

    def missing(self) -> Iterator[tuple[int, int]]:
        """Yield the ranges (first, last) of numbers not added."""
        begin = self.first
        for number in self._numbers():
            if number > begin:
                yield begin, number - 1
            begin = number + 1
        if begin <= self.last:
            yield begin, self.last

    def _numbers(self) -> Iterator[int]:
        for page in sorted(self._pages):
            octets = self._pages[page]
            present = (bit for bit in range(PAGE_BITS) if octets[bit // 8] & 1 << bit % 8)
            yield from (page * PAGE_BITS + bit for bit in present)


def in_pieces(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Yield `things` in lists of at most PIECE."""
    rest = iter(things)
    while piece := list(itertools.islice(rest, PIECE)):
        yield piece
