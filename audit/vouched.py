"""What the trail says about something, as far as the audit key vouches for it: the one question.

Rows are found by their search columns, which anybody who can write to the trail's table can change.
Only a leaf is believed that the audit key vouches for and that itself says what was asked for. An
entry that altered columns hide from the search is found by `verify_audit`.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import Error

from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.models import AuditEntry, AuditEntryQuerySet

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
    return [
        leaf
        for leaf in _leaves(found.order_by("-sequence")[:at_most], events, outcomes)
        if subject in (None, leaf.subject)
        and actor in (None, leaf.actor)
        and (since is None or leaf.time >= since)
    ]


def vouched_before(
    number: int | None,
    events: Collection[Event],
    *,
    actors: Collection[uuid.UUID] = (),
    subject: uuid.UUID | None = None,
    outcomes: Collection[Outcome] = (Outcome.DONE,),
    at_most: int,
) -> tuple[list[Leaf], int | None]:
    """Return the newest entries of those before a number, or of all, as a page of them.

    `actors` and `subject`, where given, are whom they must name. Newest first, and at most so many;
    with the number to go on before, None at the end. Raises AuditUnavailable.
    """
    found = AuditEntry.objects.filter(event__in=events, outcome__in=outcomes)
    if actors:
        found = found.filter(actor__in=actors)
    if subject is not None:
        found = found.filter(subject=subject)
    if number is not None:
        found = found.filter(sequence__lt=number)
    try:
        numbers = list(found.order_by("-sequence").values_list("sequence", flat=True)[:at_most])
    except Error:
        raise AuditUnavailable from None
    rows = AuditEntry.objects.filter(sequence__in=numbers).order_by("-sequence")
    leaves = [
        leaf
        for leaf in _leaves(rows, events, outcomes)
        if subject in (None, leaf.subject) and (not actors or leaf.actor in actors)
    ]
    return leaves, numbers[-1] if len(numbers) == at_most else None


def vouched_of_each(
    events: Collection[Event],
    *,
    subjects: Collection[uuid.UUID],
    outcomes: Collection[Outcome] = (Outcome.DONE,),
) -> dict[uuid.UUID, list[Leaf]]:
    """Return every entry of these events about each of these things, oldest first: one query.

    All of them, since an imported line has a later number than what happened after it. The index
    `audit_by_subject_event` keeps a hundred thousand openings of the same thing out of the way.
    Raises AuditUnavailable.
    """
    found = AuditEntry.objects.filter(
        subject__in=subjects, event__in=events, outcome__in=outcomes
    ).order_by("sequence")
    leaves: dict[uuid.UUID, list[Leaf]] = {subject: [] for subject in subjects}
    for leaf in _leaves(found, events, outcomes):
        if leaf.subject in leaves:
            leaves[leaf.subject].append(leaf)
    return leaves


def _leaves(
    found: AuditEntryQuerySet, events: Collection[Event], outcomes: Collection[Outcome]
) -> Iterator[Leaf]:
    try:
        rows = list(found.proofs())
    except Error:
        raise AuditUnavailable from None
    leaves = (entry.parsed() for entry in rows if entry.is_authentic())
    return (leaf for leaf in leaves if leaf.event in events and leaf.outcome in outcomes)


@dataclass
class Newest:
    """In a series of numbered states of one thing (lists, statements): which may be the newest.

    It may be the newest whose act is done, or one intended after it: that may have been stored
    without its `done`. Everything else is an older state that somebody put back.
    """

    number: int = 0
    done: set[str] = field(default_factory=set)
    begun: set[tuple[int, str]] = field(default_factory=set)

    @property
    def digests(self) -> set[str]:
        return self.done | {digest for _number, digest in self.begun}

    def allows(self, number: int, digest: str) -> bool:
        """Whether this state, with its own number, is one that may stand now."""
        is_done = number == self.number and digest in self.done
        return is_done or (number, digest) in self.begun

    def take_in(self, outcome: str, number: int, digest: str) -> None:
        """Take in what one entry says, in whatever order they come."""
        if outcome != Outcome.DONE:
            self.begun.add((number, digest))
        elif number > self.number:
            self.number, self.done = number, {digest}
        elif number == self.number:
            self.done.add(digest)
        self.begun = {(later, begun) for later, begun in self.begun if later > self.number}
