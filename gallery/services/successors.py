"""Successors: people whom an owner names, and who can take over what the owner has, or one album
alone, once staff have disabled the owner.

They are a circle, as an album's members are. While its owner is active it opens nothing: no list of
readers names it, and only taking over uses its key. What is done with it that is done with an
album, too, is in gallery/services/circles/.
"""

import time
import uuid
from collections.abc import Collection
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
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
from gallery.services.acts import starting_anew
from gallery.services.circles.acts import own_circle
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


def circles_of(owner: User) -> QuerySet[Circle]:
    """Return the circles of the successors whom this owner names, as rows say."""
    return Circle.objects.filter(owner=owner, kind=SUCCESSORS, deleted_at=None)


def circle_of(owner: User, album_id: uuid.UUID | None = None) -> Circle | None:
    """Return the one of those for everything, or of those for one album alone."""
    return circles_of(owner).filter(album=album_id).first()


def successors_of(owner: User, album_id: uuid.UUID | None = None) -> list[Member]:
    """Return whom this owner named for everything, or for one album alone, as they signed it.
    Raises Altered or TrailAway."""
    circle = circle_of(owner, album_id)
    return _named_in(circle) if circle else []


def _named_in(circle: Circle) -> list[Member]:
    heads = Heads()
    heads.membership(circle)
    signed = members_as_signed(circle, heads).signed
    return [row for row in signed if row.reader_id != circle.owner_id]


@sensitive_variables()
def name_successors(
    *, keyring: Keyring, people: list[Reader], album_id: uuid.UUID | None = None
) -> Shared[Member]:
    """Let these people take over what this owner has, now and later, once staff disable the owner;
    or one album of theirs alone, with the owner's own images in it.

    Raises as share_circle(), make_circle() and own_circle(); then nobody was named.
    """
    circle = starting_anew(lambda: _circle_to_name_in(keyring, album_id))
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
def _circle_to_name_in(keyring: Keyring, album_id: uuid.UUID | None) -> Circle:
    album = own_circle(keyring, album_id).circle if album_id else None
    if circle := circle_of(keyring.user, album_id):
        return circle
    nothing = {"title": "", "description": ""}
    try:
        return make_circle(
            keyring=keyring, **nothing, members_add=False, kind=SUCCESSORS, album=album
        )
    except IntegrityError:  # the same press twice
        raise HeadMoved from None


@sensitive_variables()
def remove_successor(*, keyring: Keyring, person: User, album_id: uuid.UUID | None = None) -> None:
    """Let this person take over nothing any more. Those who remain get a new key, and each image a
    new lock at the owner's next pages: who is removed had them. With the last one all of it goes.

    Raises NotARecipient for somebody who is not named, and as revoke_member().
    """
    circle = circle_of(keyring.user, album_id)
    named = _named_in(circle) if circle else []
    if circle is None or person.pk not in [row.reader_id for row in named]:
        raise NotARecipient
    if len(named) == 1:
        delete_circle(keyring=keyring, circle_id=circle.pk, kind=SUCCESSORS)
    else:
        revoke_member(keyring=keyring, circle_id=circle.pk, recipient=person, kind=SUCCESSORS)
        keep_for_successors(keyring, seconds=AT_ONCE_SECONDS)


# ---- the keys of images, albums and teams -----------------------------------------------------


def images_without_key(circle: Circle) -> QuerySet[SealedImage]:
    """Return the images whose present key the successors for everything do not have."""
    have = SuccessorKey.objects.filter(
        circle=circle, epoch=circle.epoch, lock=F("image__lock")
    ).values("image")
    live = SealedImage.objects.filter(owner=circle.owner_id, deleted_at=None)
    return live.exclude(pk__in=have).order_by("-sealed_at")


def circles_without_key(successors: Circle) -> QuerySet[Circle]:
    """Return the albums and teams whose present key these successors do not have."""
    have = SuccessorCircleKey.objects.filter(
        team=successors, team_epoch=successors.epoch, epoch=F("circle__epoch")
    ).values("circle")
    circles = circles_to_keep([successors.owner_id]).exclude(pk__in=have).order_by("-kind", "pk")
    return circles.filter(pk=successors.album_id) if successors.album_id else circles


def circles_to_keep(owners: Collection[uuid.UUID]) -> QuerySet[Circle]:
    """Return what successors can take over of these owners besides images: albums and teams."""
    return Circle.objects.filter(owner__in=owners, deleted_at=None).exclude(kind=SUCCESSORS)


def without_their_album(circles: QuerySet[Circle]) -> QuerySet[Circle]:
    """Return those of these circles of successors of one album that lack its present key."""
    of_now = {"epoch": OuterRef("album__epoch"), "team_epoch": OuterRef("epoch")}
    have = SuccessorCircleKey.objects.filter(
        circle=OuterRef("album"), team=OuterRef("pk"), **of_now
    )
    there = circles.filter(album__owner=F("owner"), album__deleted_at=None)
    return there.exclude(Exists(have)).order_by("pk")


@sensitive_variables()
def keep_for_successors(keyring: Keyring, *, seconds: float = SECONDS) -> None:
    """Give the successors the keys of some images, albums and teams that they lack; the next page
    goes on. Those for an album that is not this owner's any more are removed.

    Nothing else is signed: what they may do they may by the list that names them. Raises what is
    busy or away.
    """
    deadline = time.monotonic() + seconds
    named = list(circles_of(keyring.user).select_related("album"))
    _remove_where_album_is_gone(keyring, named)
    lacking = [circle for circle in named if circle.album_id is None]
    if len(lacking) < len(named):
        lacking += without_their_album(circles_of(keyring.user))
    for circle in lacking:
        _keep_for(keyring, circle, deadline)
        if time.monotonic() >= deadline:
            return


@sensitive_variables()
def _remove_where_album_is_gone(keyring: Keyring, named: Collection[Circle]) -> None:
    """Remove the successors for an album that somebody took over, once its former owner is back:
    only who has an album can remove its successors, and these could take over what is put into it
    from now on. What was signed and recorded counts: a row may call any album another's."""
    heads = Heads()
    for circle in named:
        album = circle.album
        if album is None or album.owner_id == circle.owner_id:
            continue
        with suppress(GalleryError):
            heads.membership(circle)
            if not heads.is_deleted(album.pk):
                heads.membership(album)
            delete_circle(keyring=keyring, circle_id=circle.pk, kind=SUCCESSORS)


@sensitive_variables()
def _keep_for(keyring: Keyring, circle: Circle, deadline: float) -> None:
    images = SealedImage.objects.none() if circle.album_id else images_without_key(circle)
    missing = list(images.values_list("pk", flat=True))
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
        ids = [row.circle_id for row in rows]
        there = circles_to_keep([successors.owner_id]).filter(pk__in=ids)
        held = there.select_for_update().order_by("-kind", "pk")
        epochs = dict(held.values_list("pk", "epoch"))
        SuccessorCircleKey.objects.bulk_create(
            [row for row in rows if epochs.get(row.circle_id) == row.epoch],
            update_conflicts=True,
            unique_fields=["circle", "team"],
            update_fields=["epoch", "team_epoch", "wrapped"],
        )


# ---- telling them ----------------------------------------------------------------------------


def disable_and_notify(*, person: User, by: User, reason: str) -> None:
    """Disable a person, and tell their successors that they may take over. Raises as
    disable_person()."""
    disable_person(person=person, by=by, reason=reason)
    still_theirs = Q(album=None) | Q(album__owner=person, album__deleted_at=None)
    for circle in circles_of(person).filter(still_theirs):
        with suppress(GalleryError, StorageAway):  # what does not verify names nobody
            named = _named_in(circle)
            with transaction.atomic():
                hold_people(row.reader for row in named if row.reader)
                sent = send_notices(NoticeKind.OWNER_DISABLED, named)
            record_notices([sent])
