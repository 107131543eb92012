"""What stands on an image's list besides people: albums and teams, and people with an invitation.

Each has the content key under a key of its own, so it is wrapped again at each new lock. Where the
owner cannot do that now, its members wait, as a reader without a usable key does.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TypedDict

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cryptocore import circles
from gallery.circle_keys import CircleOpener
from gallery.errors import AccessEnded, Altered, HeadMoved, NotYours, OtherSigner, Waiting
from gallery.invitation_keys import key_for_inviter
from gallery.models import Circle, Invitation, InvitedGrant, Placement


class _Place(TypedDict):
    """Where a content key under a circle's key belongs, and opens."""

    instance: uuid.UUID
    circle: uuid.UUID
    epoch: int
    subject: uuid.UUID
    lock: int


@sensitive_variables()
def wrap_beside(
    row: Placement | InvitedGrant, content_key: bytes, *, lock: int, opener: CircleOpener
) -> None:
    """Fill a row with the content key of this lock, or with nothing: then it waits."""
    row.lock, row.wrapped = lock, None
    with suppress(NotYours, AccessEnded, Altered, OtherSigner, Waiting):
        if isinstance(row, InvitedGrant):
            key = key_for_inviter(opener, row.invitation)
            row.wrapped = key.wrap(content_key, subject=row.list_of.pk, lock=lock)
        elif row.circle.deleted_at is None:
            circle_key = opener.own_circle_key(row.circle)
            wrap_for_circle(row, content_key, circle_key, epoch=row.circle.epoch)


@sensitive_variables()
def wrap_for_circle(row: Placement, content_key: bytes, circle_key: bytes, *, epoch: int) -> None:
    """Fill a row with the content key of its lock, under a circle's key of this epoch."""
    row.epoch = epoch
    row.wrapped = circles.wrap_content_key(content_key, circle_key, **_place_of(row))


@sensitive_variables()
def content_key_in(row: Placement, circle_key: bytes) -> bytes:
    """Return what a row holds; its image's commitment decides what it is. Raises CryptoError."""
    return circles.unwrap_content_key(bytes(row.wrapped or b""), circle_key, **_place_of(row))


def _place_of(row: Placement) -> _Place:
    return {
        "instance": settings.SERVER_KEYS.instance_id,
        "circle": row.circle_id,
        "epoch": row.epoch,
        "subject": row.image_id,
        "lock": row.lock,
    }


def hold_circles(rows: Iterable[Placement | InvitedGrant]) -> None:
    """Hold the rows of these circles, after invitations' and before an image's and people's. Raises
    HeadMoved if one was deleted or got its next key since it was read: what was wrapped under the
    one before opens for nobody."""
    read = {row.circle_id: row.circle for row in rows if isinstance(row, Placement)}
    held = Circle.objects.select_for_update().filter(pk__in=read).order_by("pk")
    if {circle.pk: _state(circle) for circle in held} != {pk: _state(read[pk]) for pk in read}:
        raise HeadMoved


def _state(circle: Circle) -> tuple[int, bool]:
    return circle.epoch, circle.deleted_at is None


def hold_invitations(rows: Iterable[Placement | InvitedGrant]) -> None:
    """Hold the rows of these invitations, before circles', an image's and people's. Raises
    HeadMoved if one opens nothing any more: its person may have an account by now."""
    wanted = {row.invitation_id for row in rows if isinstance(row, InvitedGrant)}
    held = Invitation.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    if wanted != {one.pk for one in held if one.state == Invitation.State.OPEN}:
        raise HeadMoved
