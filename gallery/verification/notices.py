"""One person's notices: each one's check value, that none is missing, and that the count is new."""

import uuid
from collections.abc import Iterator

from django.views.decorators.debug import sensitive_variables

from cryptocore.errors import CryptoError
from gallery.models import Notice, NoticeHead
from gallery.notice_proofs import Keys, counted, mac_keys_of, verified_body
from gallery.services.notices import least_sent
from gallery.verification.findings import Finding, Kind

CHUNK = 500


@sensitive_variables()
def check_notices(person: uuid.UUID, *, sent: int) -> Iterator[Finding]:
    """Yield what is wrong. `sent`: how many the trail says this person was sent at least."""
    keys = mac_keys_of([person])[person]
    counted_first = _counted(person, keys)
    least = max(sent, least_sent(person))
    if counted_first is None or counted_first < least:
        yield Finding(Kind.NOTICE_HEAD, person)
    expected = 1
    for notice in _in_chunks(person):
        if notice.sequence > expected:
            yield Finding(Kind.NOTICES_GONE, person, f"{expected} to {notice.sequence - 1}")
        expected = notice.sequence + 1
        try:
            is_genuine = verified_body(notice, keys)["sequence"] == notice.sequence
        except (CryptoError, KeyError):
            is_genuine = False
        if not is_genuine:
            yield Finding(Kind.NOTICE, person, f"number {notice.sequence}")
    newest = max(counted_first or 0, least)
    if expected <= newest:
        yield Finding(Kind.NOTICES_GONE, person, f"{expected} to {newest}")


@sensitive_variables()
def _counted(person: uuid.UUID, keys: Keys) -> int | None:
    """Return what the head counts: 0 where there is none and no notice, None if it is not ours."""
    head = NoticeHead.objects.filter(person=person).first()
    if head is None:
        return None if Notice.objects.filter(person=person).exists() else 0
    try:
        return counted(head, keys)
    except CryptoError:
        return None


def _in_chunks(person: uuid.UUID) -> Iterator[Notice]:
    rows = Notice.objects.filter(person=person).order_by("sequence")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(rows.filter(sequence__gt=chunk[-1].sequence)[:CHUNK])
