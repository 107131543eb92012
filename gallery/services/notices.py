"""Telling people: one notice per person and act, under that person's MAC key."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count, filterfalse

from django.db.models import Max
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit.events import Event, Outcome, record_after
from audit.leaf import Fact
from cryptocore.errors import CryptoError
from gallery.models import Circle, Grant, Member, Notice, NoticeHead
from gallery.models.circles import NOBODY
from gallery.notice_proofs import (
    Keys,
    compose,
    count_them,
    counted,
    mac_keys_of,
    verified_body,
)

PEOPLE_PER_ENTRY = 40  # as many as fit an audit entry
LOOKED_THROUGH = 1000  # newest rows, for one that is genuine, where the head is not


# What a notice is about: access to an image, or membership of an album.
Given = Grant | Member


class NoticeKind(StrEnum):
    SHARED = "shared"
    CHANGED = "changed"
    REVOKED = "revoked"
    DELETED = "deleted"
    ACKNOWLEDGED = "acknowledged"
    OPENED = "opened"
    ENDS_SOON = "ends-soon"
    READERS_END_SOON = "readers-end-soon"
    KEEP_UNTIL = "keep-until"
    TAKEN_OVER = "taken-over"
    OWNER_DISABLED = "owner-disabled"


OF_READER = {NoticeKind.ACKNOWLEDGED, NoticeKind.OPENED}  # whose act it is; all others: the owner
TO_OWNER = {*OF_READER, NoticeKind.READERS_END_SOON}  # all others: to the reader
ALBUMS_SUCCESSORS = "album-successors"  # successors for one album alone
GIVING = {NoticeKind.SHARED, NoticeKind.CHANGED}


@dataclass
class Sent:
    """Whose notices of one kind were written, and whose could not be."""

    kind: NoticeKind
    told: list[Given] = field(default_factory=list)
    untold: list[Given] = field(default_factory=list)


@sensitive_variables()
def send_notices(
    kind: NoticeKind, rows: Iterable[Given], *, ends_at: datetime | None = None
) -> Sent:
    """Write one notice for each grant or membership, inside the caller's transaction: to its
    reader, or to the owner, as the kind says. `ends_at`, of a date of deletion, instead of the
    row's.

    The caller holds these people's rows (accounts/keys/recipients.py), so that sequences neither
    repeat nor leave gaps. Somebody whose newest MAC key does not open gets no notice: that must not
    keep an owner from taking access back.
    """
    # A team's members are told of it by their own rows.
    sent, grants = Sent(kind), [row for row in rows if row.reader_id]
    keys = mac_keys_of(parties_of(kind, grant)[0] for grant in grants)
    numbers = _next_numbers(keys)
    notices: list[Notice] = []
    heads: dict[uuid.UUID, NoticeHead] = {}
    for grant in grants:
        person, actor = parties_of(kind, grant)
        end = ends_at if kind == NoticeKind.KEEP_UNTIL else grant.ends_at
        epoch = max(keys[person], default=0)
        key = keys[person].get(epoch)
        if key is None:
            sent.untold.append(grant)
            continue
        said = {
            "kind": kind.value,
            kind_of(grant): str(grant.list_of.pk),
            "actor": str(actor),
            "time": timezone.now().isoformat(),
            "rights": grant.rights,
            "ends_at": end.isoformat() if end else None,
        }
        number = next(numbers[person])
        notices.append(compose(person, number, epoch, key, said))
        heads[person] = count_them(person, number, epoch, key)
        sent.told.append(grant)
    _store(notices, heads.values())
    return sent


def parties_of(kind: NoticeKind, grant: Given) -> tuple[uuid.UUID, uuid.UUID]:
    """Return to whom a notice goes, and whose act it is about."""
    reader, owner = grant.reader_id or NOBODY, grant.list_of.owner_id
    person = owner if kind in TO_OWNER else reader
    return person, reader if kind in OF_READER else owner


def kind_of(row: Given) -> str:
    """Return what a notice calls the thing that the row is about."""
    about = row.list_of
    if not isinstance(about, Circle):
        return "image"
    return ALBUMS_SUCCESSORS if about.album_id else about.kind


def _store(notices: list[Notice], heads: Iterable[NoticeHead]) -> None:
    now = timezone.now()
    for notice in notices:
        notice.created_at = now
    Notice.objects.bulk_create(notices)
    NoticeHead.objects.bulk_create(
        heads,
        update_conflicts=True,
        unique_fields=["person"],
        update_fields=["sequence", "tag", "mac_epoch"],
    )


def record_notices(sent: Iterable[Sent]) -> None:
    """Record who was sent notices, after they were committed, and who could not be."""
    for one in sent:
        _record_people(one.kind, one.told, Outcome.DONE)
        _record_people(one.kind, one.untold, Outcome.FAILED)


def _record_people(kind: NoticeKind, grants: list[Given], outcome: Outcome) -> None:
    size = 1 if kind in TO_OWNER else PEOPLE_PER_ENTRY  # each of these may be another's act
    for start in range(0, len(grants), size):
        some = grants[start : start + size]
        record_after(
            Event.NOTICE_SENT,
            actor=parties_of(kind, some[0])[1],
            subject=some[0].list_of.pk,
            outcome=outcome,
            kind=kind.value,
            people=[str(parties_of(kind, grant)[0]) for grant in some],
            **(_terms_of(some) if kind in GIVING else {}),
        )


def _terms_of(grants: list[Given]) -> dict[str, Fact]:
    """Return what these people may do and until when, where it is the same for all: the share
    statement has it as digests, and an owner's ledger says it in words."""
    terms = {(grant.rights, grant.ends_at) for grant in grants}
    if len(terms) > 1:
        return {}
    ((rights, ends_at),) = terms
    return {"rights": rights, "ends_at": ends_at.isoformat() if ends_at else ""}


# ---- numbers ---------------------------------------------------------------------------------


def least_sent(person: uuid.UUID) -> int:
    """Return how many notices a person was sent at least: one of each grant of others' images,
    and of each membership of others' albums.

    Heads alone do not show this: an older one, genuine in its time, may have been put back.
    """
    grants = Grant.objects.filter(reader=person)
    members = Member.objects.filter(reader=person).exclude(circle__owner=person)
    # One count minus another looks at no row, where one of others' alone looks at all.
    return grants.count() - grants.filter(owner=person).count() + members.count()


@sensitive_variables()
def _next_numbers(keys: dict[uuid.UUID, Keys]) -> dict[uuid.UUID, Iterator[int]]:
    """Return each person's next numbers: those after the last that is proven to have been used."""
    heads = NoticeHead.objects.in_bulk(list(keys))
    rows = Notice.objects.filter(person__in=list(keys)).values_list("person")
    highest = dict(rows.annotate(Max("sequence")))
    numbers: dict[uuid.UUID, Iterator[int]] = {}
    for person, persons_keys in keys.items():
        last = _last_number(person, heads.get(person), persons_keys)
        taken = set()
        if highest.get(person, 0) > last:  # a forger's rows hold numbers after it
            later = Notice.objects.filter(person=person, sequence__gt=last)
            taken = set(later.values_list("sequence", flat=True))
        numbers[person] = filterfalse(taken.__contains__, count(last + 1))
    return numbers


@sensitive_variables()
def _last_number(person: uuid.UUID, head: NoticeHead | None, keys: Keys) -> int:
    """Return the last number used. A head that is gone or forged leaves a visible gap."""
    try:
        if head is not None:
            return counted(head, keys)
    except CryptoError:
        return _highest_proven(person, keys) + 1
    # The grant of the current notice is counted among them already.
    return max(least_sent(person) - 1, _highest_proven(person, keys))


@sensitive_variables()
def _highest_proven(person: uuid.UUID, keys: Keys) -> int:
    for notice in Notice.objects.filter(person=person).order_by("-sequence")[:LOOKED_THROUGH]:
        try:
            return int(verified_body(notice, keys)["sequence"])
        except CryptoError:
            continue
    return 0
