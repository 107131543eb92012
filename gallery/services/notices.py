"""Telling people: one notice per recipient and act of sharing, under the recipient's MAC key."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from django.db.models import Max
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit.events import Event, Outcome, record_after
from cryptocore.errors import CryptoError
from gallery.models import Circle, Grant, Member, Notice, NoticeHead
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


@dataclass
class Sent:
    """Whose notices of one kind were written, and whose could not be."""

    kind: NoticeKind
    told: list[Given] = field(default_factory=list)
    untold: list[Given] = field(default_factory=list)


@sensitive_variables()
def send_notices(kind: NoticeKind, rows: Iterable[Given]) -> Sent:
    """Write one notice to the reader of each grant or membership, inside the caller's transaction.

    The caller holds the readers' rows (accounts/keys/recipients.py), so that sequences neither
    repeat nor leave gaps. Somebody whose newest MAC key does not open gets no notice: that must not
    keep an owner from taking access back.
    """
    sent, readers = Sent(kind), [(row.reader_id, row) for row in rows]
    keys = mac_keys_of(person for person, _ in readers if person)
    numbers = _next_numbers(keys)
    notices, heads = [], []
    for person, grant in readers:
        if person is None:  # a team's members are told of it by their own rows
            continue
        epoch = max(keys[person], default=0)
        key = keys[person].get(epoch)
        if key is None:
            sent.untold.append(grant)
            continue
        said = {
            "kind": kind.value,
            kind_of(grant): str(grant.list_of.pk),
            "actor": str(grant.list_of.owner_id),
            "time": timezone.now().isoformat(),
            "rights": grant.rights,
            "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
        }
        notices.append(compose(person, numbers[person], epoch, key, said))
        heads.append(count_them(person, numbers[person], epoch, key))
        sent.told.append(grant)
    _store(notices, heads)
    return sent


def kind_of(row: Given) -> str:
    """Return what a notice calls the thing that the row is about."""
    return row.list_of.kind if isinstance(row.list_of, Circle) else "image"


def _store(notices: list[Notice], heads: list[NoticeHead]) -> None:
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
    for start in range(0, len(grants), PEOPLE_PER_ENTRY):
        some = grants[start : start + PEOPLE_PER_ENTRY]
        record_after(
            Event.NOTICE_SENT,
            actor=some[0].list_of.owner_id,
            subject=some[0].list_of.pk,
            outcome=outcome,
            kind=kind.value,
            people=[str(grant.reader_id) for grant in some],
        )


# ---- numbers ---------------------------------------------------------------------------------


def least_sent(person: uuid.UUID) -> int:
    """Return how many notices a person was sent at least: one of each grant of others' images,
    and of each membership of others' albums.

    Heads alone do not show this: an older one, genuine in its time, may have been put back.
    """
    grants = Grant.objects.filter(reader=person).exclude(image__owner=person)
    members = Member.objects.filter(reader=person).exclude(circle__owner=person)
    return grants.count() + members.count()


@sensitive_variables()
def _next_numbers(keys: dict[uuid.UUID, Keys]) -> dict[uuid.UUID, int]:
    """Return each person's next number: one after the last that is proven to have been used."""
    heads = NoticeHead.objects.in_bulk(list(keys))
    rows = Notice.objects.filter(person__in=list(keys)).values_list("person")
    highest = dict(rows.annotate(Max("sequence")))
    numbers = {}
    for person, persons_keys in keys.items():
        last = _last_number(person, heads.get(person), persons_keys)
        taken = set()
        if highest.get(person, 0) > last:  # a forger's rows hold numbers after it
            later = Notice.objects.filter(person=person, sequence__gt=last)
            taken = set(later.values_list("sequence", flat=True))
        numbers[person] = next(number for number in count(last + 1) if number not in taken)
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
