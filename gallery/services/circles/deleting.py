"""Deleting an album or a team: its key goes, with all that is wrapped under it. Images, and albums
that a team was a member of, stay with their owners, and get a new lock or key at their next pages.
"""

import uuid
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import hold_people
from accounts.models import WrappedKey
from gallery.access import has_ended, membership_of
from gallery.circle_events import events_of
from gallery.errors import Altered, HeadMoved, NotAllowed
from gallery.heads import Heads
from gallery.ledger import TrailAway
from gallery.models import Circle, Ended, SuccessorCircleKey
from gallery.sealing import MEMBERSHIP, head_of
from gallery.services.acts import end_rows, hold, owners_act, starting_anew
from gallery.services.circles.acts import put_off_under_key_of
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices


def delete_circle(*, keyring: Keyring, circle_id: uuid.UUID, kind: str = Circle.Kind.ALBUM) -> None:
    """Delete the owner's album for everybody. Raises NotYours, NotAllowed, AccessEnded or
    Altered."""
    starting_anew(lambda: _delete_once(keyring, circle_id, kind))


def _delete_once(keyring: Keyring, circle_id: uuid.UUID, kind: str) -> None:
    circle = membership_of(circle_id, reader=keyring.user, kind=kind).circle
    if circle.owner_id != keyring.user.pk:
        raise NotAllowed
    if circle.deleted_at is not None:
        raise Altered("deleted")
    for named in _successors_of(circle):
        _delete(named)
    _delete(circle)


def _successors_of(circle: Circle) -> list[Circle]:
    """Return whose only purpose this album is, as its owner signed it: a row alone might have any
    other circle deleted with it."""
    rows = circle.successors.filter(owner=circle.owner_id, kind=Circle.Kind.SUCCESSORS)
    found, heads = [], Heads()
    for row in rows.filter(deleted_at=None):
        with suppress(Altered, TrailAway):
            heads.membership(row)
            found.append(row)
    return found


def _delete(circle: Circle) -> None:
    with owners_act(events_of(circle).deleted, circle):
        with transaction.atomic():
            sent = _empty(circle)
        truncate_write_ahead_log()
    record_notices([sent])


def _empty(circle: Circle) -> Sent:
    hold(circle, head_of(MEMBERSHIP, circle.pk))
    if _successors_of(circle):  # named meanwhile
        raise HeadMoved
    put_off_under_key_of(circle)
    members = [
        member
        for member in circle.members.filter(ended_at=None).select_related("reader")
        if not has_ended(member)
    ]
    hold_people([member.reader for member in members if member.reader])
    for rows in (circle.members, circle.placements, circle.teams_albums, circle.invited):
        end_rows(rows.filter(ended_at=None), Ended.DELETED)
    WrappedKey.objects.filter(subject=circle.pk).delete()
    SuccessorCircleKey.objects.filter(circle=circle).delete()
    circle.details, circle.deleted_at, circle.rekey_after = b"", timezone.now(), None
    circle.save(update_fields=["details", "deleted_at", "rekey_after"])
    others = [member for member in members if member.reader_id != circle.owner_id]
    return send_notices(NoticeKind.DELETED, others)
