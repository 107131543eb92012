"""Refusals that anybody can cause as fast as they can ask: one is recorded, the others counted.

Nothing is ever taken out of the trail, so nobody may fill it. Of a network, or of a person who is
signed in, the first refusal of a kind is an entry like any other; those that follow within the
window become one entry, which says how many they were and names the request of the first. Counted
in the database, so that all processes count together and a restart loses none.
"""

import hashlib
import uuid
from contextlib import suppress
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import FoldedRefusals
from audit.context import client_network, outside_of_requests, request_id
from audit.events import Event, Outcome, record

WINDOW = timedelta(minutes=10)
LEASE = timedelta(minutes=1)  # whoever was to write a count and died leaves it to the next
# So that not even somebody with very many networks fills it: those beyond are one.
MOST_NETWORKS = 100
ELSEWHERE = "elsewhere"


def record_refusal(request: HttpRequest, event: Event, *, reason: str = "") -> None:
    """Record or count that `request` was refused. Raises AuditUnavailable."""
    write_ended()
    actor = request.user.pk
    kind = {"event": event.value, "reason": reason}
    kind["subject"] = _digest(str(actor) if actor else _network(request))
    if FoldedRefusals.objects.filter(**kind).update(count=F("count") + 1):
        return
    _record(event.value, actor, reason)
    ends_at = timezone.now() + WINDOW
    with suppress(IntegrityError):  # another of theirs came first meanwhile: both are recorded
        FoldedRefusals.objects.create(**kind, actor=actor, request=request_id(), ends_at=ends_at)


def write_ended() -> None:
    """Record the counts whose window is over. Raises AuditUnavailable; then they are kept."""
    now = timezone.now()
    for ended in FoldedRefusals.objects.filter(ends_at__lte=now):
        mine = FoldedRefusals.objects.filter(pk=ended.pk, ends_at=ended.ends_at)
        if mine.update(ends_at=now + LEASE):
            _write(ended)


def _write(ended: FoldedRefusals) -> None:
    if ended.count:
        with outside_of_requests():  # whoever is served now has no part in it
            facts = {"repeats": ended.count, "of": ended.request}
            _record(ended.event, ended.actor, ended.reason, **facts)
    rows = FoldedRefusals.objects.filter(pk=ended.pk)
    rows.update(count=F("count") - ended.count)
    rows.filter(count=0).delete()  # not one that was counted meanwhile


def _record(event: str, actor: uuid.UUID | None, reason: str, **facts: str | int) -> None:
    reasons = {"reason": reason} if reason else {}
    record(Event(event), actor=actor, outcome=Outcome.REFUSED, **reasons, **facts)


def _network(request: HttpRequest) -> str:
    are_many = FoldedRefusals.objects.filter(actor=None).count() >= MOST_NETWORKS
    return ELSEWHERE if are_many else client_network(request)


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()
