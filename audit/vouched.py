"""What the trail says about something, as far as the audit key vouches for it: the one question.

Rows are found by their search columns, which whoever can write to the trail's table can change.
Believed is only a leaf that the audit key vouches for and that says itself what was asked for. An
entry that altered columns hide from the search is found by `verify_audit`.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import Error

from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.models import AuditEntry

RECENT = 200  # rows looked through, newest first


def vouched(
    events: Collection[Event],
    *,
    subject: uuid.UUID | None = None,
    actor: uuid.UUID | None = None,
    outcomes: Collection[Outcome] = (Outcome.DONE,),
    since: datetime | None = None,
    at_most: int = RECENT,
) -> list[Leaf]:
    """Return the newest entries of these events, newest first, that the audit key vouches for.

    `subject` and `actor`, where given, are whom they must name. Raises AuditUnavailable where the
    trail's table does not answer: what is the newest cannot be known then.
    """
    found = AuditEntry.objects.filter(event__in=events, outcome__in=outcomes)
    if subject is not None:
        found = found.filter(subject=subject)
    if actor is not None:
        found = found.filter(actor=actor)
    if since is not None:
        found = found.filter(time__gte=since)
    try:
        rows = list(found.order_by("-sequence").proofs()[:at_most])
    except Error:
        raise AuditUnavailable from None
    return [
        leaf
        for leaf in _leaves(rows)
        if leaf.event in events
        and leaf.outcome in outcomes
        and subject in (None, leaf.subject)
        and actor in (None, leaf.actor)
        and (since is None or leaf.time >= since)
    ]


def _leaves(rows: list[AuditEntry]) -> Iterator[Leaf]:
    return (entry.told() for entry in rows if entry.is_authentic())


@dataclass
class Newest:
    """Of a series of numbered states of one thing (lists, statements): which may stand now.

    The newest whose act is done may stand, and what was intended after it: that may have been
    stored without its `done`. Everything else is an older state that somebody put back.
    """

    number: int = 0
    done: set[str] = field(default_factory=set)
    begun: set[tuple[int, str]] = field(default_factory=set)

    @property
    def digests(self) -> set[str]:
        return self.done | {digest for _number, digest in self.begun}

    def take_in(self, outcome: str, number: int, digest: str) -> None:
        """Take in what one entry says, in whatever order they come."""
        if outcome != Outcome.DONE:
            self.begun.add((number, digest))
        elif number > self.number:
            self.number, self.done = number, {digest}
        elif number == self.number:
            self.done.add(digest)
        self.begun = {(later, begun) for later, begun in self.begun if later > self.number}
