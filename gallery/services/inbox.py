"""A person's notices as they are shown: each checked, and what is wrong is said and recorded."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.core.paginator import Page
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.debug import sensitive_variables

from accounts.keys.names import prefetch_names
from accounts.models import User
from audit.events import Event, Outcome, record
from audit.models import AuditEntry
from cryptocore.errors import CryptoError
from gallery.models import Notice, NoticeHead
from gallery.notice_proofs import Keys, counted, mac_keys_of, verified_body
from gallery.paging import page_of
from gallery.services.notices import ALBUMS_SUCCESSORS, least_sent

PER_PAGE = 60
NUMBERS = (1, 2**31 - 1)  # a row with any other is as good as missing, and shown as that
MAILED_FOR = timedelta(days=7)  # an older one is no news any more
REPORTED_FOR = timedelta(days=1)  # one entry a day about the same person's altered notices


class NoticeState(StrEnum):
    GENUINE = "genuine"
    ALTERED = "altered"
    REPEATED = "repeated"
    MISSING = "missing"


FALSE = (NoticeState.ALTERED, NoticeState.REPEATED)


@dataclass(frozen=True)
class ShownNotice:
    """One notice as it is shown: what it says, or that it must not be believed.

    Of missing ones, `count` in a row are shown as one, `sequence` being the first.
    """

    state: NoticeState
    sequence: int
    time: datetime | None = None
    kind: str = ""
    image_id: uuid.UUID | None = None
    album_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    successors_id: uuid.UUID | None = None
    of_one_album: bool = False  # of successors: for one album alone
    actor: User | None = None
    is_new: bool = False
    ends_at: datetime | None = None
    count: int = 1

    @property
    def subject(self) -> uuid.UUID | None:
        return self.image_id or self.album_id or self.team_id or self.successors_id


@dataclass(frozen=True)
class Inbox:
    """One page of a person's notices, newest first."""

    page: Page[Notice]
    notices: list[ShownNotice] = field(default_factory=list)


@sensitive_variables()
def read_notices(
    person: User,
    page_number: str | None = None,
    *,
    before: int | None = None,
    in_full: bool = False,
) -> Inbox:
    """Return a page of a person's notices, each checked; what is wrong is recorded. `before`: of
    which number it shows the older ones, so that none is skipped to find where it begins."""
    keys = mac_keys_of([person.pk])[person.pk]
    # First how many there must be, then which there are, and these are not added to between two
    # looks at them: otherwise a notice that comes meanwhile would seem to be missing.
    newest = _newest(person, keys)
    rows = Notice.objects.filter(person=person, sequence__range=NUMBERS).order_by("-sequence")
    last = rows.values_list("sequence", flat=True).first() or 0
    rows = rows.filter(sequence__lte=last if before is None else min(last, before - 1))
    begins_here = before is not None
    page = page_of(rows, PER_PAGE, page_number, in_full=in_full, begins_here=begins_here)
    bodies = {notice.pk: _body(notice, keys) for notice in page.object_list}
    actors = User.objects.in_bulk({uuid.UUID(body["actor"]) for body in bodies.values() if body})
    prefetch_names(actors.values())
    numbered = [notice for notice in page.object_list if notice.sequence > 0]
    checked = [_shown(notice, bodies[notice.pk], actors) for notice in numbered]
    if before is not None:
        newest = min(newest, before - 1)
    elif page.has_previous():  # its newest must be the one after the last on the page before
        above = page.paginator.object_list[page.start_index() - 2]
        newest = min(newest, above.sequence - 1)
    inbox = Inbox(page, list(_with_gaps(checked, page, newest)))
    _report(person, inbox.notices)
    return inbox


@sensitive_variables()
def unread_after(person: User, sequence: int) -> list[ShownNotice]:
    """Return the unread notices of the last week with a higher number, newest first, at most a
    page: only those that are genuine. Nothing is recorded: nobody looks at them."""
    keys = mac_keys_of([person.pk])[person.pk]
    since = timezone.now() - MAILED_FOR
    new = Notice.objects.filter(person=person, read_at=None, created_at__gte=since)
    rows = new.filter(sequence__range=(sequence + 1, NUMBERS[1])).order_by("-sequence")[:PER_PAGE]
    bodies = {notice: _body(notice, keys) for notice in rows}
    actors = User.objects.in_bulk({uuid.UUID(body["actor"]) for body in bodies.values() if body})
    prefetch_names(actors.values())
    shown = [_shown(notice, body, actors) for notice, body in bodies.items()]
    return [notice for notice in shown if notice.state == NoticeState.GENUINE]


def mark_read(person: User, inbox: Inbox) -> None:
    """Remember that these were shown: not those that came meanwhile."""
    shown = [notice.pk for notice in inbox.page.object_list]
    Notice.objects.filter(pk__in=shown, read_at=None).update(read_at=timezone.now())


@sensitive_variables()
def _body(notice: Notice, keys: Keys) -> dict[str, Any] | None:
    try:
        return verified_body(notice, keys)
    except CryptoError:
        return None


def _shown(
    notice: Notice, body: dict[str, Any] | None, actors: dict[uuid.UUID, User]
) -> ShownNotice:
    if body is None:
        return ShownNotice(NoticeState.ALTERED, notice.sequence, notice.created_at)
    if body["sequence"] != notice.sequence:
        return ShownNotice(NoticeState.REPEATED, notice.sequence, notice.created_at)
    return ShownNotice(
        NoticeState.GENUINE,
        notice.sequence,
        time=parse_datetime(body["time"]),
        kind=body["kind"],
        image_id=_id_in(body, "image"),
        album_id=_id_in(body, "album"),
        team_id=_id_in(body, "team"),
        successors_id=_id_in(body, "successors") or _id_in(body, ALBUMS_SUCCESSORS),
        of_one_album=ALBUMS_SUCCESSORS in body,
        actor=actors.get(uuid.UUID(body["actor"])),
        is_new=notice.read_at is None,
        ends_at=parse_datetime(body["ends_at"] or ""),
    )


def _id_in(body: dict[str, Any], name: str) -> uuid.UUID | None:
    return uuid.UUID(body[name]) if name in body else None


# ---- what is missing -------------------------------------------------------------------------


def _with_gaps(
    checked: Iterable[ShownNotice], page: Page[Notice], newest: int
) -> Iterator[ShownNotice]:
    """Yield the page's notices, and one for each gap between them. `newest` must come first."""
    for notice in checked:
        yield from _gap(notice.sequence + 1, newest)
        yield notice
        newest = min(newest, notice.sequence - 1)
    if not page.has_next():
        yield from _gap(1, newest)


def _gap(first: int, last: int) -> Iterator[ShownNotice]:
    if first <= last:
        yield ShownNotice(NoticeState.MISSING, first, count=last - first + 1)


@sensitive_variables()
def _newest(person: User, keys: Keys) -> int:
    """Return how many notices there must be.

    A head that is gone or forged hides at least one; an older genuine one, put back, hides those of
    the grants that it does not count.
    """
    head = NoticeHead.objects.filter(person=person).first()
    last = Notice.objects.filter(person=person).order_by("-sequence").first()
    highest = last.sequence if last else 0
    least = least_sent(person.pk)
    if head is None:
        return max(highest + 1, least) if highest or least else 0
    try:
        return max(counted(head, keys), least)
    except CryptoError:
        return max(highest + 1, least)


def _report(person: User, shown: list[ShownNotice]) -> None:
    wrong = {
        Event.NOTICE_ALTERED: [notice for notice in shown if notice.state in FALSE],
        Event.NOTICE_MISSING: [n for n in shown if n.state == NoticeState.MISSING],
    }
    since = timezone.now() - REPORTED_FOR
    for event, notices in wrong.items():
        if notices and not AuditEntry.objects.seen_since(
            person.pk, event, person.pk, since, outcome=Outcome.FAILED
        ):
            record(
                event,
                actor=person.pk,
                subject=person.pk,
                outcome=Outcome.FAILED,
                first=min(notice.sequence for notice in notices),
                count=sum(notice.count for notice in notices),
            )
