"""The newest digests of each person's key rows, certificate and compared contacts in the trail."""

import uuid
from dataclasses import dataclass, field

from accounts.keys import pins
from accounts.keys.certified import take_in_certificate
from accounts.keys.keysets import KEYSET_EVENTS
from audit.events import Outcome
from audit.leaf import Leaf
from audit.verification import NEWEST, entries_between
from audit.vouched import Newest, vouched

# Bytes without which an entry says nothing of interest: cheaper to look for than its MAC.
MARKS = (
    b'"keyset":"',
    b'"pins":"',
    b'"certificate":"',
    b'"outcome":"intended"',
    b'"outcome":"failed"',
)


@dataclass
class Remembered:
    """What the trail says about one person's key rows.

    `keysets` are the digests of the newest finished act, by the number of its entry, and of those
    that overlapped with it: the order of their entries does not show which of them committed last.
    `begun` are the acts not finished yet, by the number of the intention.
    """

    keysets: dict[int, str] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    newest_begun: int = 0

    def take_in(self, leaf: Leaf, number: int) -> None:
        """Take in what the entry of this number says. Entries come in their order."""
        if leaf.outcome == Outcome.INTENDED:
            self.begun[leaf.event] = number
        elif leaf.outcome == Outcome.FAILED:
            self.begun.pop(leaf.event, None)
        elif keyset := leaf.facts.get("keyset"):
            self.finish(leaf.event, number, keyset)

    def finish(self, event: str, number: int, keyset: str) -> None:
        self.newest_begun = self.begun.pop(event, number)
        overlapping = {n: was for n, was in self.keysets.items() if n > self.newest_begun}
        self.keysets = {**overlapping, number: keyset}

    @property
    def has_unfinished(self) -> bool:
        """Whether an act was intended after the newest finished one was, and nothing came of it."""
        return any(number > self.newest_begun for number in self.begun.values())


class KeysetTrail:
    """Folds the whole trail, and later what was added to it; only what the audit key vouches for.

    Reads the leaves and not the search columns: otherwise one altered column would hide the newest.
    """

    def __init__(self) -> None:
        self.people: dict[uuid.UUID, Remembered] = {}
        self.lists: dict[uuid.UUID, Newest] = {}
        self.certificates: dict[uuid.UUID, Newest] = {}
        self._read_to = 0
        self.catch_up()

    def catch_up(self) -> None:
        for entry in entries_between(self._read_to + 1, NEWEST):
            self._read_to = entry.sequence
            if not any(mark in entry.leaf for mark in MARKS) or not entry.is_authentic():
                continue
            leaf = entry.parsed()
            if leaf.subject and leaf.event in KEYSET_EVENTS:
                self.people.setdefault(leaf.subject, Remembered()).take_in(leaf, entry.sequence)
            if leaf.actor and (numbered := pins.number_in(leaf)):
                self.lists.setdefault(leaf.actor, Newest()).take_in(leaf.outcome, *numbered)
            if leaf.subject and leaf.outcome == Outcome.DONE:
                take_in_certificate(self.certificates.setdefault(leaf.subject, Newest()), leaf)

    def certificate_of(self, person_id: uuid.UUID) -> Newest:
        return self.certificates.get(person_id, Newest())

    def list_of(self, person_id: uuid.UUID) -> Newest:
        return self.lists.get(person_id, Newest())

    def of(self, person_id: uuid.UUID) -> Remembered:
        return self.people.get(person_id, Remembered())


def remembered_of(person_id: uuid.UUID) -> Remembered:
    """Return what the newest entries about one person say, found by their columns: enough where
    hiding one only brings an older genuine state back. Raises AuditUnavailable."""
    outcomes = (Outcome.INTENDED, Outcome.FAILED, Outcome.DONE)
    remembered = Remembered()
    newest_first = vouched(KEYSET_EVENTS, subject=person_id, outcomes=outcomes)
    for number, leaf in enumerate(reversed(newest_first), start=1):
        remembered.take_in(leaf, number)
    return remembered
