"""What the trail says of an image or a circle: which of its statements may be the newest.

Signatures prove that an owner once signed a list of readers, not that it is the last one: somebody
who can write to the database could take the newest away and put an older state back. Each act that
stores statements is in the trail with the digest and the number of each. A head counts only if an
entry that the audit key vouches for names it, and none of an act that is done names a later one.

Older entries, from when numbers were not recorded, name only digests. Then the statements
themselves have their numbers; one that was stored and is not there any more was taken away.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from accounts.keys.remembered import SUSPENDING
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Fact, Leaf
from audit.vouched import Newest, vouched_of_each
from cryptocore import statements
from cryptocore.errors import CryptoError
from gallery.ledger import SIGNED_AT, TrailAway
from gallery.models import SealedImage, Statement
from gallery.sealing import MANIFEST, MEMBERSHIP, SHARE

KINDS = (MANIFEST, SHARE, MEMBERSHIP)
DELETED = (
    Event.IMAGE_DELETED,
    Event.ALBUM_DELETED,
    Event.TEAM_DELETED,
    Event.SUCCESSORS_DELETED,
)
TAKING_OVER = (Event.IMAGE_TAKEN_OVER, Event.ALBUM_TAKEN_OVER, Event.TEAM_TAKEN_OVER)
EVENTS = (*SIGNED_AT, Event.IMAGE_KEEP_UNTIL_SET, *DELETED, *SUSPENDING)


def facts_of(signed: Iterable[Statement]) -> dict[str, Fact]:
    """Return what the trail keeps of the statements that an act stores."""
    facts: dict[str, Fact] = {}
    for statement in signed:
        facts[statement.kind] = statement.digest
        facts[f"{statement.kind}_number"] = statement.sequence
    return facts


def date_facts(keep_until: datetime | None, number: int) -> dict[str, Fact]:
    """Return what the trail keeps of a date of deletion: the row alone could be anybody's."""
    return {"keep_until": _as_text(keep_until), "keep_until_number": number}


def deletions_without_end(subjects: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of these that their owner began to delete last, and the trail does not say how
    that ended. Raises TrailAway."""
    outcomes = (Outcome.INTENDED, Outcome.DONE, Outcome.FAILED)
    try:
        found = vouched_of_each(DELETED, subjects=subjects, outcomes=outcomes)
    except AuditUnavailable:
        raise TrailAway from None
    last = {subject: leaves[-1].outcome for subject, leaves in found.items() if leaves}
    return {subject for subject, outcome in last.items() if outcome == Outcome.INTENDED}


def _as_text(keep_until: datetime | None) -> str:
    return statements.format_time(keep_until) if keep_until else ""


class ImageTrail:
    """What the trail says of one image or circle, by kind of statement; or of an owner, whose
    readers staff may have suspended."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        self.is_deleted = self.is_suspended = False
        self._newest: dict[str, Newest] = defaultdict(Newest)
        self._numbered: set[str] = set()  # the kinds of which an entry says a number
        # Digests of entries without numbers: of acts done, and of those only intended.
        self._done: dict[str, set[str]] = defaultdict(set)
        self._begun: dict[str, set[str]] = defaultdict(set)
        # Of each manifest, by digest: the share statement stored with it, and its number.
        self._stored_with: dict[str, tuple[str, int]] = {}
        # By kind: with which statement another owner began, and who signed those before it.
        self._owners: dict[str, dict[int, uuid.UUID]] = defaultdict(dict)
        self._dates: dict[uuid.UUID | None, Newest] = defaultdict(Newest)  # by who chose
        for leaf in leaves:
            self.take_in(leaf)

    def take_in(self, leaf: Leaf) -> None:
        is_done = leaf.outcome == Outcome.DONE
        self.is_deleted |= is_done and leaf.event in DELETED
        if is_done and leaf.event in SUSPENDING:
            self.is_suspended = leaf.event == Event.ACCOUNT_READERS_SUSPENDED
        for kind in KINDS:
            digest, number = leaf.facts.get(kind, ""), leaf.facts.get(f"{kind}_number")
            if number is not None and leaf.event in TAKING_OVER:
                self._owners[kind][number] = uuid.UUID(leaf.facts["former"])
            if number is not None:
                self._newest[kind].take_in(leaf.outcome, number, digest)
                self._numbered |= {kind} if is_done else set()
            elif digest:
                (self._done if is_done else self._begun)[kind].add(digest)
        if "keep_until" in leaf.facts:
            number, date = leaf.facts["keep_until_number"], leaf.facts["keep_until"]
            self._dates[leaf.actor].take_in(leaf.outcome, number, date)
        if leaf.facts.keys() >= {MANIFEST, "share_number"}:
            stored = leaf.facts[SHARE], leaf.facts["share_number"]
            self._stored_with[leaf.facts[MANIFEST]] = stored

    def number(self, kind: str, numbers: Mapping[str, int]) -> None:
        """Take in the entries without numbers whose statements are known."""
        for unnumbered, outcome in ((self._done, Outcome.DONE), (self._begun, Outcome.INTENDED)):
            for digest in unnumbered[kind] & numbers.keys():
                self._newest[kind].take_in(outcome, numbers[digest], digest)
            unnumbered[kind] -= numbers.keys()

    def allows(self, head: Statement) -> bool:
        """Whether this verified statement is the newest of its kind, or may be."""
        self.number(head.kind, {head.digest: head.sequence})
        # Once an act has recorded its number, entries without one came before it.
        is_one_gone = bool(self._done[head.kind]) and head.kind not in self._numbered
        newest = self._newest[head.kind]
        return newest.allows(head.sequence, head.digest) and not is_one_gone

    def allows_date(self, image: SealedImage) -> bool:
        """Whether the date of deletion in the row is the one that its owner chose, or none is."""
        chosen = self._dates[image.owner_id]
        date, was_chosen = _as_text(image.keep_until), bool(chosen.number)
        return date in chosen.digests or not (date or was_chosen)

    def next_date_number(self, image: SealedImage) -> int:
        chosen = self._dates[image.owner_id]
        return max([chosen.number, *(number for number, _date in chosen.begun)]) + 1

    @property
    def is_taken_over(self) -> bool:
        return bool(self._owners)

    def former_owner(self, kind: str) -> uuid.UUID | None:
        """Return from whom the present owner took the image or circle over, if they did."""
        owners = self._owners.get(kind)
        return owners[max(owners)] if owners else None

    def owner_before(self, kind: str, number: int) -> uuid.UUID | None:
        """Return who owned the image or circle when this statement was signed, None for the present
        owner."""
        later = [first for first in self._owners[kind] if first > number]
        return self._owners[kind][min(later)] if later else None

    def needs_numbers(self) -> bool:
        """Whether only the statements show which of several digests is the newest."""
        return any(len(self._done[kind]) > 1 for kind in {*KINDS} - self._numbered)

    def allows_together(self, manifest: Statement, named: str, share: Statement) -> bool:
        """Whether the share statement that a manifest names is the head, or came before it."""
        stored, number = self._stored_with.get(manifest.digest, ("", 0))
        return named == stored and (named == share.digest or number < share.sequence)


class ImageTrails:
    """What the trail says of the images of one request: asked once for all of them."""

    def __init__(self) -> None:
        self._trails: dict[uuid.UUID, ImageTrail] = {}
        self._is_away = False

    def ask(self, subjects: Collection[uuid.UUID]) -> None:
        """Ask about these images at once. Raises TrailAway, and again without asking again: a
        table that hangs would keep each image of a page waiting."""
        if self._is_away:
            raise TrailAway
        try:
            found = vouched_of_each(EVENTS, subjects=subjects)
        except AuditUnavailable:
            self._is_away = True
            raise TrailAway from None
        trails = {subject: ImageTrail(leaves) for subject, leaves in found.items()}
        _number_from_statements({pk: one for pk, one in trails.items() if one.needs_numbers()})
        self._trails |= trails

    def forget(self, subject: uuid.UUID) -> None:
        """Ask again about an image that has changed meanwhile."""
        self._trails.pop(subject, None)

    def allows(self, head: Statement) -> bool:
        """Whether this verified statement may be the newest of its kind. Raises TrailAway."""
        trail = self.of(head.subject)
        if trail.is_deleted:
            return False
        if trail.allows(head):
            return True
        return self.take_in_begun(head.subject).allows(head)

    def allows_date(self, image: SealedImage) -> bool:
        """Whether the date of deletion in the row is the one that its owner chose. Raises
        TrailAway."""
        if self.of(image.pk).allows_date(image):
            return True
        self.forget(image.pk)  # it was asked before an act came between
        return self.take_in_begun(image.pk).allows_date(image)

    def take_in_begun(self, subject: uuid.UUID) -> ImageTrail:
        """Take in the acts that were only intended, too, and return what the trail says then: one
        of them may have been stored, its end not in the trail, or not yet. Raises TrailAway."""
        trail = self.of(subject)
        try:
            found = vouched_of_each(EVENTS, subjects=[subject], outcomes=(Outcome.INTENDED,))
        except AuditUnavailable:
            raise TrailAway from None
        for leaf in found[subject]:
            trail.take_in(leaf)
        _number_from_statements({subject: trail})
        return trail

    def of(self, subject: uuid.UUID) -> ImageTrail:
        """Return what the trail says of an image. Raises TrailAway."""
        if subject not in self._trails:
            self.ask([subject])
        return self._trails[subject]


def _number_from_statements(trails: Mapping[uuid.UUID, ImageTrail]) -> None:
    for row in Statement.objects.filter(subject__in=trails.keys()) if trails else ():
        with suppress(CryptoError):
            # Its own word for its number: the column may be anybody's.
            number = statements.parse(row.kind, bytes(row.body))["sequence"]
            trails[row.subject].number(row.kind, {row.digest: number})
