"""Successors: people whom an owner names, and who can take over the owner's images once staff have
disabled the owner.

They are a circle, as an album's members are. While its owner is active it opens nothing: no list of
readers names it, and only taking over uses its key. What is done with it that is done with an
album, too, is in gallery/services/circles/.
"""

import time
import uuid
from collections.abc import Collection
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.recipients import Reader, hold_people
from accounts.models import User
from accounts.services.people.oversight import disable_person
from gallery.access import live_accesses_to
from gallery.beside import hold_circles, successor_circle_key, successor_key
from gallery.errors import GalleryError, HeadMoved, NotARecipient
from gallery.heads import Heads
from gallery.members import members_as_signed
from gallery.models import (
    Circle,
    Member,
    Rights,
    SealedImage,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.opening import Opener
from gallery.services.circles.deleting import delete_circle
from gallery.services.circles.making import make_circle
from gallery.services.circles.rekeying import revoke_member
from gallery.services.circles.sharing import share_circle
from gallery.services.ended import SECONDS
from gallery.services.notices import NoticeKind, record_notices, send_notices
from gallery.services.sharing import Shared
from gallery.services.uploading import Terms
from gallery.storage import StorageAway

SUCCESSORS = Circle.Kind.SUCCESSORS
CHUNK = 60  # images, or circles, whose statements are fetched together
AT_ONCE_SECONDS = 2.0  # what the act itself gives to what is there already


def circle_of(owner: User) -> Circle | None:
    """Return the circle of the successors whom this owner names, as rows say."""
    return Circle.objects.filter(owner=owner, kind=SUCCESSORS, deleted_at=None).first()


def successors_of(owner: User) -> list[Member]:
    """Return whom this owner named, as they signed it. Raises Altered or TrailAway."""
    circle = circle_of(owner)
    if circle is None:
        return []
    heads = Heads()
    heads.membership(circle)
    return [row for row in members_as_signed(circle, heads).signed if row.reader_id != owner.pk]


@sensitive_variables()
def name_successors(*, keyring: Keyring, people: list[Reader]) -> Shared[Member]:
    """Let these people take over what this owner has, now and later, once staff disable the owner.

    Raises as share_circle() and make_circle(); then nobody was named.
    """
    circle = circle_of(keyring.user)
    if circle is None:
        try:
            circle = make_circle(
                keyring=keyring, title="", description="", members_add=False, kind=SUCCESSORS
            )
        except IntegrityError:  # the same press twice
            raise HeadMoved from None
    shared = share_circle(
        keyring=keyring,
        circle_id=circle.pk,
        recipients=people,
        terms=Terms(Rights.DOWNLOAD.value, None),
        kind=SUCCESSORS,
    )
    keep_for_successors(keyring, seconds=AT_ONCE_SECONDS)
    return shared


@sensitive_variables()
def remove_successor(*, keyring: Keyring, person: User) -> None:
    """Let this person take over nothing any more. Those who remain get a new key, and each image a
    new lock at the owner's next pages: who is removed had them. With the last one all of it goes.

    Raises NotARecipient for somebody who is not named, and as revoke_member().
    """
    circle, named = circle_of(keyring.user), successors_of(keyring.user)
    if circle is None or person.pk not in [row.reader_id for row in named]:
        raise NotARecipient
    if len(named) == 1:
        delete_circle(keyring=keyring, circle_id=circle.pk, kind=SUCCESSORS)
    else:
        revoke_member(keyring=keyring, circle_id=circle.pk, recipient=person, kind=SUCCESSORS)
        keep_for_successors(keyring, seconds=AT_ONCE_SECONDS)


# ---- the keys of images, albums and teams -----------------------------------------------------


def images_without_key(circle: Circle) -> QuerySet[SealedImage]:
    """Return the images whose present key the successors do not have."""
    have = SuccessorKey.objects.filter(
        circle=circle, epoch=circle.epoch, lock=F("image__lock")
    ).values("image")
    live = SealedImage.objects.filter(owner=circle.owner_id, deleted_at=None)
    return live.exclude(pk__in=have).order_by("-sealed_at")


def circles_without_key(successors: Circle) -> QuerySet[Circle]:
    """Return the albums and teams whose present key the successors do not have."""
    have = SuccessorCircleKey.objects.filter(
        team=successors, team_epoch=successors.epoch, epoch=F("circle__epoch")
    ).values("circle")
    return circles_to_keep([successors.owner_id]).exclude(pk__in=have).order_by("-kind", "pk")


def circles_to_keep(owners: Collection[uuid.UUID]) -> QuerySet[Circle]:
    """Return what successors can take over of these owners besides images: albums and teams."""
    return Circle.objects.filter(owner__in=owners, deleted_at=None).exclude(kind=SUCCESSORS)


@sensitive_variables()
def keep_for_successors(keyring: Keyring, *, seconds: float = SECONDS) -> None:
    """Give the successors the keys of some images, albums and teams that they lack; the next page
    goes on.

    Nothing is signed: what they may do they may by the list that names them. Raises what is busy or
    away.
    """
    deadline = time.monotonic() + seconds
    circle = circle_of(keyring.user)
    if circle is None:
        return
    missing = list(images_without_key(circle).values_list("pk", flat=True))
    circles = list(circles_without_key(circle))
    if not (missing or circles):
        return
    opener = Opener(keyring)
    try:
        circle_key = opener.own_circle_key(circle)
    except GalleryError:  # the page of successors says what is wrong with it
        return
    for start in range(0, len(circles), CHUNK):
        _keep_circles(circles[start : start + CHUNK], opener, circle, circle_key)
        if time.monotonic() >= deadline:
            return
    for start in range(0, len(missing), CHUNK):
        _keep_images(missing[start : start + CHUNK], opener, circle, circle_key)
        if time.monotonic() >= deadline:
            return


@sensitive_variables()
def _keep_images(
    images: list[uuid.UUID], opener: Opener, circle: Circle, circle_key: bytes
) -> None:
    opener.prepare(images)
    rows = []
    for access in live_accesses_to(images, reader=circle.owner).values():
        with suppress(GalleryError):  # what does not open now is tried again
            content_key = opener.content_key_for(access)
            rows.append(successor_key(access.image, content_key, circle, circle_key))
    with transaction.atomic(), suppress(HeadMoved):
        hold_circles(rows)
        held = SealedImage.objects.select_for_update().filter(
            pk__in=[row.image_id for row in rows], owner=circle.owner_id, deleted_at=None
        )
        locks = dict(held.order_by("pk").values_list("pk", "lock"))
        SuccessorKey.objects.bulk_create(
            [row for row in rows if locks.get(row.image_id) == row.lock],
            update_conflicts=True,
            unique_fields=["image"],
            update_fields=["circle", "lock", "epoch", "wrapped"],
        )


@sensitive_variables()
def _keep_circles(
    circles: list[Circle], opener: Opener, successors: Circle, successors_key: bytes
) -> None:
    opener.prepare([circle.pk for circle in circles])
    rows = []
    for circle in circles:
        with suppress(GalleryError):  # as with images
            key = opener.own_circle_key(circle)
            rows.append(successor_circle_key(circle, key, successors, successors_key))
    with transaction.atomic(), suppress(HeadMoved):
        hold_circles(rows)
        there = circles_to_keep([successors.owner_id]).filter(pk__in=[row.pk for row in rows])
        held = there.select_for_update().order_by("-kind", "pk")
        epochs = dict(held.values_list("pk", "epoch"))
        SuccessorCircleKey.objects.bulk_create(
            [row for row in rows if epochs.get(row.pk) == row.epoch],
            update_conflicts=True,
            unique_fields=["circle"],
            update_fields=["epoch", "team", "team_epoch", "wrapped"],
        )


# ---- telling them ----------------------------------------------------------------------------


def disable_and_notify(*, person: User, by: User, reason: str) -> None:
    """Disable a person, and tell their successors that they may take over. Raises as
    disable_person()."""
    disable_person(person=person, by=by, reason=reason)
    with suppress(GalleryError, StorageAway):  # what does not verify names nobody
        named = successors_of(person)
        with transaction.atomic():
            hold_people(row.reader for row in named if row.reader)
            sent = send_notices(NoticeKind.OWNER_DISABLED, named)
        record_notices([sent])
