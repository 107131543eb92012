"""The trail from one entry on, to ask what is *not* in it.

`vouched` proves what was recorded. Only the whole chain from there on proves that something never
was, with its end compared with the file: somebody who can write to both databases, but not to the
file, cannot drop an entry from the middle or cut the end unseen.
"""

from collections.abc import Iterator

from django.db import Error

from audit.events import AuditUnavailable
from audit.leaf import Leaf
from audit.models import AuditEntry
from audit.verification import entries_between, read_head, verify

MOST = 10_000  # entries walked while somebody waits: some seconds


class Broken(Exception):
    """The trail does not prove what followed: it is altered, not in its file, or too long."""


def unbroken_from(entry: AuditEntry) -> Iterator[Leaf]:
    """Yield what was recorded from an authentic `entry` on, including it.

    Raises Broken, also where anything else is wrong from there on (`verify_audit` names it), and
    AuditUnavailable if table or file cannot be read.
    """
    try:
        newest = read_head().sequence
        if newest - entry.sequence >= MOST:
            raise Broken
        # An entry of this moment may have no line yet: what is wrong is looked at once more.
        if any(verify(start=entry.sequence)) and any(verify(start=entry.sequence)):
            raise Broken
        yield from (row.parsed() for row in entries_between(entry.sequence, newest))
    except (Error, OSError):
        raise AuditUnavailable from None
