"""The trail's file: one JSON line per entry, only ever appended to.

A line with a place in the chain: {"chain", "key", "leaf", "previous", "sequence"}; one written
while the table was away: {"key", "leaf", "tag"}. Canonical JSON, hashes hex, `leaf` the leaf's
text. JSON escapes control characters, so nothing inside a leaf can begin a line.
"""

import contextlib
import fcntl
import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from django.conf import settings

from audit import chain
from audit.leaf import MAX_BYTES
from audit.models import AuditEntry
from cryptocore import canonical
from cryptocore.errors import CryptoError

LINE_BYTES = 2 * MAX_BYTES + 1024  # every quote of the leaf is escaped
PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file; `sequence` and `previous` are None if it was written without the table,
    and `proof` is then its tag, otherwise its chain value."""

    leaf: bytes
    key_id: str
    proof: bytes
    previous: bytes | None = None
    sequence: int | None = None

    @classmethod
    def of_entry(cls, entry: AuditEntry) -> Self:
        return cls(
            entry.leaf,
            entry.key_id,
            entry.chain,
            entry.previous,
            entry.sequence,
        )

    @classmethod
    def without_table(cls, leaf: bytes) -> Self:
        key_id, key = settings.SERVER_KEYS.audit.newest
        return cls(leaf, key_id, chain.tag_line(chain.hash_leaf(leaf), key))

    def encode(self) -> bytes:
        return canonical.encode(self._body()) + b"\n"

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"leaf": self.leaf.decode(), "key": self.key_id}
        if self.sequence is None or self.previous is None:
            return {**body, "tag": self.proof.hex()}
        place = {"previous": self.previous.hex(), "sequence": self.sequence}
        return {**body, **place, "chain": self.proof.hex()}

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return what the line says. Raises CryptoError unless encode() makes exactly that."""
        body = canonical.decode(data.removesuffix(b"\n"), max_bytes=LINE_BYTES, max_depth=1)
        try:
            line = cls._from_body(body)
            # A second spelling of hex, an unknown field, a number that is none.
            if line._body() != body or type(line.sequence) not in (int, type(None)):
                raise CryptoError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CryptoError from None
        return line

    @classmethod
    def _from_body(cls, body: dict[str, Any]) -> Self:
        leaf, key_id = body["leaf"].encode(), body["key"]
        if "tag" in body:
            return cls(leaf, key_id, bytes.fromhex(body["tag"]))
        previous, sequence = bytes.fromhex(body["previous"]), body["sequence"]
        return cls(leaf, key_id, bytes.fromhex(body["chain"]), previous, sequence)

    def check(self) -> None:
        """Return if the audit key vouches for this line. Raises CryptoError if not."""
        try:
            key = settings.SERVER_KEYS.audit.get(self.key_id)
        except KeyError:
            raise CryptoError from None
        leaf_hash = chain.hash_leaf(self.leaf)
        if self.previous is None:
            chain.check_line_tag(leaf_hash, self.proof, key)
        else:
            chain.check_link(self.previous, leaf_hash, self.proof, key)


def append(line: Line) -> None:
    """Append `line`; it is on the disk on return. Raises OSError, and then leaves no part of it.

    Opened each time, so that rotating the file needs no signal.
    """
    path = settings.AUDIT_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        is_new = _append_whole(descriptor, line.encode())
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def _append_whole(descriptor: int, data: bytes) -> bool:
    """Write `data` on a line of its own; return whether the file was empty before."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data  # a power cut left half a line
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError("the disk took only part of a line")
    except OSError:
        # Nobody else writes meanwhile: what follows `size` is ours. An append-only file refuses it;
        # then half a line stays, and the next one begins on a line of its own.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
    return size == 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines() -> Iterator[bytes]:
    """Yield the raw lines, newline included, of rotated files (`.1`, `-20261123`, also `.gz`)
    and the current one. Holds one line in memory; a longer one than we write comes in pieces.

    Raises OSError if a file cannot be read.
    """
    current = settings.AUDIT_FILE
    beside = (path for mark in ".-" for path in current.parent.glob(f"{current.name}{mark}*"))
    rotated = sorted(path for path in beside if path.is_file())
    for path in [*rotated, current] if current.exists() else rotated:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(LINE_BYTES + 1):
                yield line
