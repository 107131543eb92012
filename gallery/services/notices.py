"""Notices: one per recipient and act of sharing, each under the recipient's MAC key.

The body is canonical JSON with a per-person sequence and the key's epoch. So a notice that was
forged, altered, moved to another person, repeated or taken away is seen, and said to be so.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.debug import sensitive_variables

from accounts.mac_keys import notice_mac_key
from accounts.models import MacKey, User
from audit.events import Event, Outcome, record, record_after
from audit.models import AuditEntry
from cryptocore import canonical
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.mac import check_mac, mac
from gallery.models import Grant, Notice, NoticeHead

VERSION = 1
PEOPLE_PER_ENTRY = 40  # as many as fit an audit entry
REPORTED_FOR = timedelta(days=1)  # one entry a day about the same person's altered notices


class NoticeKind(StrEnum):
    SHARED = "shared"
    CHANGED = "changed"
    REVOKED = "revoked"
    DELETED = "deleted"


class NoticeState(StrEnum):
    GENUINE = "genuine"
    ALTERED = "altered"
    REPEATED = "repeated"
    MISSING = "missing"


FALSE = (NoticeState.ALTERED, NoticeState.REPEATED)


@dataclass(frozen=True)
class ShownNotice:
    """One notice as it is shown: what it says, or that it must not be believed."""

    state: NoticeState
    sequence: int
    time: datetime | None = None
    kind: str = ""
    image_id: uuid.UUID | None = None
    actor: User | None = None
    is_new: bool = False


# ---- writing ---------------------------------------------------------------------------------


@dataclass
class Sent:
    """Whose notices of one kind were written, and whose could not be."""

    kind: NoticeKind
    told: list[Grant] = field(default_factory=list)
    untold: list[Grant] = field(default_factory=list)


def send_notices(kind: NoticeKind, grants: Iterable[Grant]) -> Sent:
    """Write one notice to the reader of each grant, inside the caller's transaction.

    The caller holds the readers' rows (accounts.recipients.lock_keys), so that sequences neither
    repeat nor leave gaps. Somebody whose MAC key does not open is not told: that must not keep
    an owner from taking access back.
    """
    sent = Sent(kind)
    for grant in grants:
        mac_key_row = MacKey.objects.filter(user=grant.reader).order_by("-epoch").first()
        try:
            key = notice_mac_key(mac_key_row) if mac_key_row else None
        except CryptoError:
            key = None
        if mac_key_row is None or key is None:
            sent.untold.append(grant)
            continue
        _send(kind, grant, mac_key_row, key)
        sent.told.append(grant)
    return sent


def record_notices(sent: Iterable[Sent]) -> None:
    """Record whom notices were sent to, after they were committed, and who could not be told."""
    for one in sent:
        _record_people(one.kind, one.told, Outcome.DONE)
        _record_people(one.kind, one.untold, Outcome.FAILED)


def _record_people(kind: NoticeKind, grants: list[Grant], outcome: Outcome) -> None:
    for start in range(0, len(grants), PEOPLE_PER_ENTRY):
        some = grants[start : start + PEOPLE_PER_ENTRY]
        record_after(
            Event.NOTICE_SENT,
            actor=some[0].image.owner_id,
            subject=some[0].image_id,
            outcome=outcome,
            kind=kind.value,
            people=[str(grant.reader_id) for grant in some],
        )


@sensitive_variables()
def _send(kind: NoticeKind, grant: Grant, mac_key_row: MacKey, key: bytes) -> None:
    person, now = grant.reader, timezone.now()
    sequence = _next_sequence(person)
    body = canonical.encode(
        {
            "v": VERSION,
            "instance": str(settings.SERVER_KEYS.instance_id),
            "person": str(person.pk),
            "sequence": sequence,
            "epoch": mac_key_row.epoch,
            "kind": kind.value,
            "image": str(grant.image_id),
            "actor": str(grant.image.owner_id),
            "time": now.isoformat(),
            "rights": grant.rights,
            "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
        }
    )
    Notice.objects.create(
        person=person,
        sequence=sequence,
        body=body,
        tag=mac(_framed(body), key),
        mac_epoch=mac_key_row.epoch,
        created_at=now,
    )
    _move_head(person, sequence, mac_key_row.epoch, key)


def _framed(body: bytes) -> bytes:
    return context("notice") + body


def _next_sequence(person: User) -> int:
    """One after the highest number ever used: by the rows, or by the head where rows are gone."""
    rows = Notice.objects.filter(person=person).aggregate(last=Max("sequence"))["last"] or 0
    head = NoticeHead.objects.filter(person=person).values_list("sequence", flat=True).first()
    return max(rows, head or 0) + 1


def _move_head(person: User, sequence: int, epoch: int, key: bytes) -> None:
    tag = mac(_framed_head(person.pk, sequence), key)
    NoticeHead.objects.update_or_create(
        person=person, defaults={"sequence": sequence, "tag": tag, "mac_epoch": epoch}
    )


def _framed_head(person_id: uuid.UUID, sequence: int) -> bytes:
    return context("notice-head", person_id, sequence)


# ---- reading ---------------------------------------------------------------------------------


def read_notices(person: User) -> list[ShownNotice]:
    """Return a person's notices, newest first, each checked; what is wrong is recorded."""
    keys = _mac_keys(person)
    shown = list(_check_all(person, keys))
    _report(person, shown)
    return list(reversed(shown))


def mark_read(person: User) -> None:
    Notice.objects.filter(person=person, read_at=None).update(read_at=timezone.now())


def _check_all(person: User, keys: dict[int, bytes]) -> Iterator[ShownNotice]:
    actors = {user.pk: user for user in User.objects.filter(images__grants__reader=person)}
    expected = 1
    for notice in Notice.objects.filter(person=person).order_by("sequence"):
        for missing in range(expected, notice.sequence):
            yield ShownNotice(NoticeState.MISSING, missing)
        yield _check(notice, keys, actors)
        expected = max(expected, notice.sequence + 1)
    for missing in range(expected, _signed_head(person, keys, expected - 1) + 1):
        yield ShownNotice(NoticeState.MISSING, missing)


def _check(notice: Notice, keys: dict[int, bytes], actors: dict[uuid.UUID, User]) -> ShownNotice:
    try:
        body = _verified_body(notice, keys)
    except (CryptoError, KeyError, ValueError):
        return ShownNotice(NoticeState.ALTERED, notice.sequence, notice.created_at)
    if body["sequence"] != notice.sequence:
        return ShownNotice(NoticeState.REPEATED, notice.sequence, notice.created_at)
    return ShownNotice(
        NoticeState.GENUINE,
        notice.sequence,
        time=parse_datetime(body["time"]),
        kind=body["kind"],
        image_id=uuid.UUID(body["image"]),
        actor=actors.get(uuid.UUID(body["actor"])),
        is_new=notice.read_at is None,
    )


def _verified_body(notice: Notice, keys: dict[int, bytes]) -> dict[str, Any]:
    """Return what the notice says. Raises if its tag, person or epoch is not right."""
    raw = bytes(notice.body)
    check_mac(_framed(raw), bytes(notice.tag), keys[notice.mac_epoch])
    body = canonical.decode(raw)
    expected = {
        "v": VERSION,
        "instance": str(settings.SERVER_KEYS.instance_id),
        "person": str(notice.person_id),
        "epoch": notice.mac_epoch,
    }
    if any(body[name] != value for name, value in expected.items()):
        raise ValueError("a notice of another person, epoch or installation")
    return body


def _signed_head(person: User, keys: dict[int, bytes], at_least: int) -> int:
    """Return how many notices there must be. A head that does not verify hides at least one."""
    head = NoticeHead.objects.filter(person=person).first()
    if head is None:
        return at_least + (1 if at_least else 0)
    try:
        check_mac(_framed_head(person.pk, head.sequence), bytes(head.tag), keys[head.mac_epoch])
    except (CryptoError, KeyError):
        return at_least + 1
    return head.sequence


def _mac_keys(person: User) -> dict[int, bytes]:
    keys = {}
    for row in MacKey.objects.filter(user=person):
        try:
            keys[row.epoch] = notice_mac_key(row)
        except CryptoError:
            continue  # its notices will be shown as altered
    return keys


def _report(person: User, shown: list[ShownNotice]) -> None:
    wrong = {
        Event.NOTICE_ALTERED: [n for n in shown if n.state in FALSE],
        Event.NOTICE_MISSING: [n for n in shown if n.state == NoticeState.MISSING],
    }
    since = timezone.now() - REPORTED_FOR
    for event, notices in wrong.items():
        if notices and not AuditEntry.objects.seen_since(
            person.pk, event, person.pk, since, outcome=Outcome.FAILED
        ):
            first = notices[0].sequence
            record(
                event,
                actor=person.pk,
                subject=person.pk,
                outcome=Outcome.FAILED,
                first=first,
                count=len(notices),
            )
