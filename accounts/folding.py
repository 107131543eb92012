"""Refusals that people can cause as fast as they can ask: one is recorded, the others counted.

Nothing is ever taken out of the trail, so nobody may fill it. Of a network, or of a person who is
signed in, the first refusal of a kind is an entry like any other; those that follow within the
window become one entry, which says how many they were and names the request of the first. Counted
in the database, so that all processes count together and a restart loses none.

A kind is what the entry would say: the event, its facts, about what. Anybody who asks for ten
thousand images is named with the first few; beyond those, what is refused is one kind.
"""

import hashlib
import json
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import FoldedRefusals
from audit.context import client_network, outside_of_requests, request_id
from audit.events import AuditUnavailable, Event, Outcome, record
from audit.leaf import Fact, check_facts
from audit.vouched import vouched

WINDOW = timedelta(minutes=10)
LEASE = timedelta(minutes=1)  # a process that dies before it writes a count leaves it to the next
# So that not even somebody with very many networks fills it: those beyond are one.
MOST_NETWORKS = 100
ELSEWHERE = "elsewhere"
# Nor somebody who varies the refused request each time: of one event, the kinds beyond this are
# one.
MOST_KINDS = 10
VARIOUS: dict[str, Fact] = {"reason": "various"}

# A row names its event, and somebody who writes to the database could write any other there.
FOLDED = {
    Event.ACCOUNT_THROTTLED: Outcome.REFUSED,
    Event.ACCOUNT_UNLOCK_REFUSED: Outcome.REFUSED,
    Event.ALBUM_ALTERED: Outcome.FAILED,
    Event.ALBUM_REFUSED: Outcome.REFUSED,
    Event.CUSTODY_REFUSED: Outcome.REFUSED,
    Event.IMAGE_ALTERED: Outcome.FAILED,
    Event.IMAGE_REFUSED: Outcome.REFUSED,
    Event.IMAGE_SHARE_REFUSED: Outcome.REFUSED,
    Event.IMAGE_UPLOAD_REFUSED: Outcome.REFUSED,
    Event.INVITATION_REFUSED: Outcome.REFUSED,
    Event.INVITE_REFUSED: Outcome.REFUSED,
    Event.KEY_REFUSED: Outcome.REFUSED,
    Event.KEYS_BROUGHT_BACK: Outcome.REFUSED,
    Event.KEYS_NOT_REMEMBERED: Outcome.REFUSED,
    Event.RECOVERY_CODE_TESTED: Outcome.REFUSED,
    Event.REQUEST_REFUSED: Outcome.REFUSED,
    Event.SUCCESSORS_ALTERED: Outcome.FAILED,
    Event.SUCCESSORS_REFUSED: Outcome.REFUSED,
    Event.TEAM_ALTERED: Outcome.FAILED,
    Event.TEAM_REFUSED: Outcome.REFUSED,
}


@dataclass(frozen=True)
class Kind:
    """What is counted together. `whose`: a digest of the person, of the network, or, where nobody
    is to blame, of the subject."""

    event: Event
    whose: str
    actor: uuid.UUID | None
    subject: uuid.UUID | None
    facts: dict[str, Fact]

    @property
    def digest(self) -> str:
        return _digest(json.dumps([self.event, self.whose, str(self.subject), self.facts]))

    def record(self, **facts: Fact) -> None:
        record(
            self.event,
            actor=self.actor,
            subject=self.subject,
            outcome=FOLDED[self.event],
            in_table=False,
            **{**self.facts, **facts},
        )


def record_refusal(
    request: HttpRequest, event: Event, *, subject: uuid.UUID | None = None, **facts: Fact
) -> None:
    """Record or count that `request` was refused. Raises AuditUnavailable."""
    write_ended()
    actor = request.user.pk
    whose = str(actor)
    if not actor:
        networks = FoldedRefusals.objects.filter(actor=None, about=None)
        is_full = networks.count() >= MOST_NETWORKS
        whose = ELSEWHERE if is_full else client_network(request)
    _record_or_count(Kind(event, _digest(whose), actor, subject, facts))


def record_refusal_of(
    actor: uuid.UUID | None, event: Event, *, subject: uuid.UUID | None = None, **facts: Fact
) -> None:
    """Record or count that `actor` was refused something; without one, that `subject` was.

    Raises AuditUnavailable.
    """
    write_ended()
    _record_or_count(Kind(event, _digest(str(actor or subject)), actor, subject, facts))


def write_ended() -> None:
    """Record the counts whose window is over. Raises AuditUnavailable; then they are kept."""
    now = timezone.now()
    for ended in FoldedRefusals.objects.filter(ends_at__lte=now):
        mine = FoldedRefusals.objects.filter(pk=ended.pk, ends_at=ended.ends_at)
        if mine.update(ends_at=now + LEASE):
            _write(ended)


def _record_or_count(kind: Kind) -> None:
    counted = _counted_with(kind)
    if _is_on_record(counted) and _rows_of(counted).update(count=F("count") + 1):
        return
    kind.record()
    ends_at = timezone.now() + WINDOW
    with suppress(IntegrityError):  # another of theirs came first meanwhile: both are recorded
        FoldedRefusals.objects.create(
            kind=counted.digest,
            event=counted.event.value,
            whose=counted.whose,
            actor=counted.actor,
            about=counted.subject,
            facts=json.dumps(counted.facts),
            request=request_id(),
            ends_at=ends_at,
        )


def _rows_of(kind: Kind) -> QuerySet[FoldedRefusals]:
    return FoldedRefusals.objects.filter(kind=kind.digest)


def _counted_with(kind: Kind) -> Kind:
    """Return the kind itself, or the one for everything else that is refused to this person."""
    if FOLDED[kind.event] == Outcome.FAILED or _rows_of(kind).exists():
        return kind  # what was altered is named one by one: nobody alters by asking
    others = FoldedRefusals.objects.filter(event=kind.event.value, whose=kind.whose)
    if others.count() < MOST_KINDS:
        return kind
    return Kind(kind.event, kind.whose, kind.actor, None, VARIOUS)


def _is_on_record(kind: Kind) -> bool:
    """Whether the trail has the first of this kind, too: otherwise somebody who writes to the
    database could keep it out by a row. A trail that does not answer is not filled meanwhile."""
    if not (kind.actor or kind.subject):
        return True  # strangers are counted by network, and a trail names no network
    since = timezone.now() - WINDOW - LEASE
    try:
        leaves = vouched(
            [kind.event],
            subject=kind.subject,
            actor=kind.actor,
            outcomes=[FOLDED[kind.event]],
            since=since,
        )
    except AuditUnavailable:
        return True
    return any(kind.facts in (VARIOUS, dict(leaf.facts)) for leaf in leaves)


def _write(ended: FoldedRefusals) -> None:
    rows = FoldedRefusals.objects.filter(pk=ended.pk)
    if ended.event not in FOLDED or ended.count < 0:
        rows.delete()  # not our row
        return
    if ended.count:
        kind = Kind(Event(ended.event), ended.whose, ended.actor, ended.about, _facts_of(ended))
        with outside_of_requests():  # the person served now has no part in it
            kind.record(repeats=ended.count, of=ended.request)
    rows.update(count=F("count") - ended.count)
    rows.filter(count=0).delete()  # not one that was counted meanwhile


def _facts_of(row: FoldedRefusals) -> dict[str, Fact]:
    """Return the facts of a row, none if somebody changed them into something else."""
    try:
        facts: dict[str, Fact] = json.loads(row.facts)
        check_facts(facts)
    except (ValueError, TypeError, AttributeError):
        return {}
    return facts


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()
