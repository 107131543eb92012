"""What stands on an image's list besides people: albums and teams, and people with an invitation;
and on an album's list besides people: teams.

Each has the content key, or the album's key, under a key of its own, so it is wrapped again at each
new lock. Where the owner cannot do that now, its members wait, as a reader without a usable key
does.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TypedDict

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from cryptocore import circles
from gallery.circle_keys import CircleOpener, place_in_team
from gallery.errors import AccessEnded, Altered, HeadMoved, NotYours, OtherSigner, Waiting
from gallery.invitation_keys import key_for_inviter
from gallery.models import (
    Circle,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Row,
    SealedImage,
    SuccessorCircleKey,
    SuccessorKey,
)


class _Place(TypedDict):
    """Where a content key under a circle's key belongs, and opens."""

    instance: uuid.UUID
    circle: uuid.UUID
    epoch: int
    subject: uuid.UUID
    lock: int


# What has its key under a circle's: an image in it, or an album of which a team is a member.
Held = Placement | Member
# The same for the successors of its owner.
Kept = SuccessorKey | SuccessorCircleKey


@sensitive_variables()
def wrap_beside(row: Held | InvitedGrant, key: bytes, *, lock: int, opener: CircleOpener) -> None:
    """Fill a row with the key of this lock (of a circle: epoch), or with nothing: then it waits."""
    row.wrapped = None
    if not isinstance(row, Member):
        row.lock = lock
    with suppress(NotYours, AccessEnded, Altered, OtherSigner, Waiting):
        if isinstance(row, InvitedGrant):
            invitation_key = key_for_inviter(opener, row.invitation)
            row.wrapped = invitation_key.wrap(key, subject=row.list_of.pk, lock=lock)
        elif (circle := held_by(row)) and circle.deleted_at is None:
            circle_key = opener.own_circle_key(circle)
            wrap_for_circle(row, key, circle_key, epoch=circle.epoch)


def held_by(row: Row | Kept) -> Circle | None:
    """Return the circle under whose key a row's key is, if it is under one's."""
    if isinstance(row, Member | SuccessorCircleKey):
        return row.team
    return row.circle if isinstance(row, Placement | SuccessorKey) else None


@sensitive_variables()
def wrap_for_circle(row: Held, key: bytes, circle_key: bytes, *, epoch: int) -> None:
    """Fill a row with its content key, or its album's key, under a circle's key of this epoch."""
    if isinstance(row, Placement):
        row.epoch = epoch
        row.wrapped = circles.wrap_content_key(key, circle_key, **_place_of(row))
    else:
        row.team_epoch = epoch
        row.wrapped = circles.wrap_circle_key(key, circle_key, **place_in_team(row))


@sensitive_variables()
def key_in(row: Held | Kept, circle_key: bytes) -> bytes:
    """Return what a row holds; the commitment decides what it is. Raises CryptoError."""
    wrapped = bytes(row.wrapped or b"")
    if isinstance(row, Member | SuccessorCircleKey):
        return circles.unwrap_circle_key(wrapped, circle_key, **place_in_team(row))
    return circles.unwrap_content_key(wrapped, circle_key, **_place_of(row))


@sensitive_variables()
def successor_key(
    image: SealedImage, content_key: bytes, circle: Circle, circle_key: bytes
) -> SuccessorKey:
    """Return an image's content key under the key of its owner's successors; not stored yet."""
    row = SuccessorKey(image=image, circle=circle, lock=image.lock, epoch=circle.epoch)
    row.wrapped = circles.wrap_content_key(content_key, circle_key, **_place_of(row))
    return row


@sensitive_variables()
def successor_circle_key(
    circle: Circle, key: bytes, successors: Circle, successors_key: bytes
) -> SuccessorCircleKey:
    """Return the key of an album or a team likewise."""
    row = SuccessorCircleKey(
        circle=circle, epoch=circle.epoch, team=successors, team_epoch=successors.epoch
    )
    row.wrapped = circles.wrap_circle_key(key, successors_key, **place_in_team(row))
    return row


def _place_of(row: Placement | SuccessorKey) -> _Place:
    return {
        "instance": settings.SERVER_KEYS.instance_id,
        "circle": row.circle_id,
        "epoch": row.epoch,
        "subject": row.image_id,
        "lock": row.lock,
    }


def hold_circles(rows: Iterable[Row | Kept]) -> None:
    """Hold the circles whose keys these rows are wrapped under.

    In this order, so that no two transactions wait for each other: invitations, successors, teams,
    albums, the image or album that is changed, people. Raises HeadMoved if a circle was deleted or
    got its next key since it was read: what was wrapped under the key before opens for nobody.
    """
    read = {circle.pk: circle for circle in map(held_by, rows) if circle}
    now = Circle.objects.select_for_update().filter(pk__in=read).order_by("-kind", "pk")
    if {circle.pk: _state(circle) for circle in now} != {pk: _state(read[pk]) for pk in read}:
        raise HeadMoved


def _state(circle: Circle) -> tuple[int, bool]:
    return circle.epoch, circle.deleted_at is None


def hold_invitations(rows: Iterable[Row]) -> None:
    """Hold the rows of these invitations, before circles', an image's and people's. Raises
    HeadMoved if one opens nothing any more: its person may have an account by now."""
    wanted = {row.invitation_id for row in rows if isinstance(row, InvitedGrant)}
    held = Invitation.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    if wanted != {one.pk for one in held if one.state == Invitation.State.OPEN}:
        raise HeadMoved
