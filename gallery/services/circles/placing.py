"""Putting one's own images into an album, and taking them out.

Both are acts on the image: afterwards its owner's share statement lists the album, or no longer
does. The album's own list is of its members, and stays as it is.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys
from accounts.keys.recipients import hold_people
from audit.events import Event
from gallery.access import membership_of
from gallery.beside import hold_circles, wrap_beside
from gallery.errors import PART_AWAY, Altered, GalleryError, NotAllowed
from gallery.models import Circle, Member, Placement, Rights, SealedImage
from gallery.opening import Opener
from gallery.readers import Readers, readers_as_signed
from gallery.sealing import SHARE, share_fields, sign_statement
from gallery.services.acts import (
    anew_if_moved,
    end_expired,
    hold,
    owners_access,
    owners_act,
    require_present_signer,
    starting_anew,
)
from gallery.services.revoking import Holder, take_back
from gallery.services.sharing import require_listable
from gallery.services.uploading import Terms, new_place


@sensitive_variables()
def require_place(keyring: Keyring, album_id: uuid.UUID) -> None:
    """Return if this person may put images into this album, by what its owner signed. Raises
    NotYours, NotAllowed, AccessEnded, Altered, OtherSigner or Waiting."""
    member, opener = membership_of(album_id, reader=keyring.user), Opener(keyring)
    opener.circle_key_for(member)
    is_own = member.circle.owner_id == keyring.user.pk
    if not is_own and not opener.membership(member.circle)["members_add"]:
        raise NotAllowed


def place_uploaded(
    keyring: Keyring, album_id: uuid.UUID | None, images: Iterable[SealedImage]
) -> list[uuid.UUID]:
    """Put images that were uploaded for an album into it; return those that could not be: they are
    stored all the same."""
    left_out: list[uuid.UUID] = []
    if album_id is None:
        return left_out
    for image in images:
        try:
            place_image(keyring=keyring, circle_id=album_id, image_id=image.pk)
        except (GalleryError, NoKeys, *PART_AWAY):
            left_out.append(image.pk)
    return left_out


@sensitive_variables()
def place_image(
    *,
    keyring: Keyring,
    circle_id: uuid.UUID,
    image_id: uuid.UUID,
    kind: str | None = Circle.Kind.ALBUM,
) -> Placement:
    """Put one of the person's own images into an album of theirs, or into one of which they are a
    member who may add; return its place there. One that is there already stays. (`kind` None: in
    a team, too, whose place waits. Sharing with a team: gallery/services/sharing.py.)

    Its members may do with it what the album lets them. Raises NotYours, NotAllowed, AccessEnded,
    Altered, OtherSigner, Waiting, TooManyReaders or HeadMoved; then nothing has changed.
    """
    return starting_anew(lambda: _place_once(keyring, circle_id, image_id, kind))


@sensitive_variables()
def _place_once(
    keyring: Keyring, circle_id: uuid.UUID, image_id: uuid.UUID, kind: str | None
) -> Placement:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    image, circle = access.image, membership_of(circle_id, reader=keyring.user, kind=kind).circle
    opener.own_circle_key(circle)  # (4) and (7) of the album, or its refusal
    with anew_if_moved(access):
        head = opener.to_follow(SHARE, image)
        readers = readers_as_signed(image, opener)
        if readers.unsigned:
            raise Altered("entries")
        content_key = opener.content_key_for(access)
    placement = _place_in(circle, image, readers)
    if placement.wrapped is not None:
        return placement
    is_new, is_own = placement._state.adding, circle.owner_id == keyring.user.pk
    if is_new and not is_own and not opener.membership(circle)["members_add"]:
        raise NotAllowed
    wrap_beside(placement, content_key, lock=image.lock, opener=opener)
    listed = [*readers.signed, *readers.beside, *([placement] if is_new else [])]
    require_listable(listed)
    share = sign_statement(
        SHARE, share_fields(listed), keyring=keyring, subject=image.pk, previous=head
    )
    with (
        owners_act(Event.IMAGE_SHARED, image, signed=[share], **{str(circle.kind): str(circle.pk)}),
        transaction.atomic(),
    ):
        hold_circles([placement])
        hold(image, head)
        hold_people([keyring.user])
        require_present_signer(image.owner, share)
        end_expired(image)
        share.save(force_insert=True)
        placement.save()
    truncate_write_ahead_log()  # end_expired() destroyed keys
    return placement


def _place_in(circle: Circle, image: SealedImage, readers: Readers) -> Placement:
    """Return the image's place in the album: the one that is there, or a new one, not stored."""
    for placement in readers.placed:
        if placement.circle_id == circle.pk:
            placement.circle = circle
            return placement
    return new_place(image, circle, Terms(Rights.DOWNLOAD.value, None))


@sensitive_variables()
def take_out(
    *, keyring: Keyring, circle_id: uuid.UUID, image_id: uuid.UUID, kind: str = Circle.Kind.ALBUM
) -> Placement:
    """Take one of the person's own images out of an album or a team, and change its lock: the
    members had its content key. Return its ended place there.

    Raises NotARecipient if it never was in the album, and as revoke() does; then nothing has
    changed.
    """
    return starting_anew(lambda: _take_out_once(keyring, (str(kind), circle_id), image_id))


@sensitive_variables()
def _take_out_once(keyring: Keyring, holder: Holder, image_id: uuid.UUID) -> Placement:
    access, (kind, circle) = owners_access(keyring, image_id), holder
    rows = access.image.placements.filter(circle=circle, circle__kind=kind)
    return take_back(keyring, access, rows.select_related("circle"), without=holder)


# ---- places that wait ------------------------------------------------------------------------


def waiting_places(keyring: Keyring) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return circle and image of the places that wait for this owner, who has the circle's key.

    One query, asked at each page: a place waits after a re-lock for which that key was not there.
    """
    own = Member.objects.filter(
        reader=keyring.user,
        ended_at=None,
        wrapped_key__key_pair__master_key_version=keyring.version,
    ).values("circle")
    teams = Member.objects.filter(team__in=own, ended_at=None).exclude(wrapped=None)
    # `Exists`: joined with the images, SQLite would begin with all that the owner has.
    images = SealedImage.objects.filter(owner=keyring.user, deleted_at=None)
    rows = Placement.objects.filter(
        Q(circle__in=own) | Q(circle__in=teams.values("circle")),
        Exists(images.filter(pk=OuterRef("image"))),
        ended_at=None,
        wrapped=None,
        circle__deleted_at=None,
    )
    rows = rows.exclude(ends_at__lte=timezone.now()).order_by("?")
    return list(rows.values_list("circle", "image"))
