"""Taking over: a successor becomes the owner of an image of somebody whom staff have disabled.

The picture stays as it was sealed, under its content key: the new owner signs a manifest and a list
of readers that follow the former owner's, so everybody who could open it still can. Those of the
former owner are kept, and say who sealed it.
"""

import uuid
from collections.abc import Collection
from functools import partial
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import User
from audit.events import Event
from gallery.access import Access, Through, has_ended, membership_of
from gallery.beside import key_in
from gallery.errors import Altered, NotHandedOver, NotYours
from gallery.heads import step
from gallery.image_trail import ImageTrails, date_facts
from gallery.members import only_given_through
from gallery.models import (
    Circle,
    Grant,
    Member,
    Placement,
    Rights,
    SealedImage,
    SuccessorKey,
)
from gallery.opening import Opener
from gallery.readers import readers_as_signed
from gallery.sealing import (
    MANIFEST,
    MEMBERSHIP,
    SHARE,
    Sealed,
    manifest_fields,
    set_entry,
    share_fields,
    sign_statement,
)
from gallery.services.acts import starting_anew
from gallery.services.succession import (
    Succession,
    anew_if_taken,
    carry_out,
    handed_over,
    own_key,
    places_to_take_over,
)
from gallery.services.taking_over_circles import usable_circle_keys


@sensitive_variables()
def take_over(*, keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    """Become the owner of an image whose owner named this person a successor, and was disabled; or
    named them for an album in which it is, and which is theirs by now. Every reader keeps their
    access; invitations that were not used yet end.

    Enabling the former owner again does not undo it. Raises NotYours for everybody who is no
    successor, TakenBefore, TakenByYou, OwnerActive, NotHandedOver, Altered, OtherSigner, Waiting,
    OwnKeyRefused, AuditUnavailable or HeadMoved; then nothing has changed.
    """
    return starting_anew(lambda: _take_over_once(keyring, image_id))


@sensitive_variables()
def _take_over_once(keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    image = SealedImage.objects.filter(pk=image_id, deleted_at=None).select_related("owner").first()
    if image is None:
        raise NotYours
    opener = Opener(keyring)
    with anew_if_taken(image):
        places = places_to_take_over(image, opener, reader=keyring.user)
        taken = _signed(keyring, opener, image, places)
    number = ImageTrails().take_in_begun(image.pk).next_date_number(image)
    dates = date_facts(image.keep_until, number)
    carry_out(Event.IMAGE_TAKEN_OVER, taken, partial(_store, image), **dates)
    return image


def images_to_take_over(member: Member) -> list[uuid.UUID]:
    """Return the owner's images that this successor can take over now: those whose keys they have,
    or whose album they have, or can take over first."""
    circle = member.circle
    if circle.album_id is None:
        keys = _usable_keys().filter(circle=circle).order_by("image__sealed_at")
        return list(keys.values_list("image", flat=True))
    if not _within_reach([member])[1]:
        return []
    places = _usable(_places_in(circle.album_id, circle.owner_id)).order_by("image__sealed_at")
    return list(places.values_list("image", flat=True))


def count_images_to_take_over(members: Collection[Member]) -> dict[uuid.UUID, tuple[int, int]]:
    """Return, by circle of successors, how many images there are and how many of them these can
    take over now: five queries for all."""
    circles = {member.circle_id: member.circle.owner_id for member in members}
    there = SealedImage.objects.filter(owner__in=circles.values(), deleted_at=None)
    images = dict(there.values_list("owner").annotate(Count("pk")))
    keys = dict(
        _usable_keys().filter(circle__in=circles).values_list("circle").annotate(Count("pk"))
    )
    found = {pk: (images.get(owner, 0), keys.get(pk, 0)) for pk, owner in circles.items()}
    of_albums = [member for member in members if member.circle.album_id]
    seen, reached = _within_reach(of_albums)
    placed = _places_in(OuterRef("album"), OuterRef("owner"))
    counted = Circle.objects.filter(pk__in=[member.circle_id for member in of_albums]).values_list(
        "pk",
        _counted(placed),
        _counted(_usable(placed)),
    )
    for pk, there_are, usable in counted:
        found[pk] = (there_are or 0) * (pk in seen), (usable or 0) * (pk in reached)
    return found


def _counted(places: QuerySet[Placement]) -> Subquery:
    return Subquery(places.values("circle").annotate(n=Count("pk")).values("n"))


def _within_reach(members: Collection[Member]) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Return of which of these circles of successors of one album it is still the owner's, or the
    successor's by now; and by which of them it can be taken over, or was."""
    there = Circle.objects.filter(
        successors__in=[one.circle_id for one in members], deleted_at=None
    )
    owner_of = dict(there.values_list("successors", "owner"))
    theirs = {one.circle_id for one in members if owner_of.get(one.circle_id) == one.reader_id}
    owners = {
        one.circle_id for one in members if owner_of.get(one.circle_id) == one.circle.owner_id
    }
    keys = usable_circle_keys().filter(team__in=owners).values_list("team", flat=True)
    return theirs | owners, theirs | set(keys)


def _places_in(album: Any, owner: Any) -> QuerySet[Placement]:
    """Return the places of this owner's images in this album: ids, or OuterRefs to them."""
    there = Placement.objects.filter(circle=album, ended_at=None)
    return there.filter(image__owner=owner, image__deleted_at=None)


def _usable(places: QuerySet[Placement]) -> QuerySet[Placement]:
    of_now = {"lock": F("image__lock"), "epoch": F("circle__epoch")}
    return places.filter(**of_now).exclude(wrapped=None)


def _usable_keys() -> QuerySet[SuccessorKey]:
    """Return the keys of images that are there, of their present lock and owner's successors."""
    return SuccessorKey.objects.filter(
        epoch=F("circle__epoch"),
        lock=F("image__lock"),
        image__owner=F("circle__owner"),
        image__deleted_at=None,
    )


@sensitive_variables()
def _signed(
    keyring: Keyring, opener: Opener, image: SealedImage, places: list[Member]
) -> Succession:
    """Return what is to be stored, signed by the new owner. From here on the image in memory is
    theirs."""
    head = opener.to_follow(SHARE, image)
    former, manifest = image.owner, opener.manifest(image)
    manifest_head = opener.to_follow(MANIFEST, image)
    opener.signer_of(image)  # refused if it is not the compared key
    member, content_key = handed_over(places, partial(_key_by, opener, image, keyring.user))
    readers = readers_as_signed(image, opener)
    kept = [row for row in readers.signed if row.reader_id not in (former.pk, keyring.user.pk)]
    rows = [row for row in readers.signed if row.reader_id == keyring.user.pk]
    own = rows[0] if rows else Grant(image=image, reader=keyring.user, granted_at=timezone.now())
    own.owner = keyring.user
    set_entry(own, rights=Rights.DOWNLOAD.value, ends_at=None)
    key = own_key(keyring, content_key, image)
    image.owner = keyring.user
    sign = partial(sign_statement, keyring=keyring, subject=image.pk)
    share = sign(SHARE, share_fields([own, *kept, *readers.placed]), previous=head)
    sealed = {name: Sealed(b"", facts) for name, facts in manifest["renditions"].items()}
    fields = manifest_fields(sealed, content_key, share, image=image, lock=image.lock)
    theirs = list(image.grants.filter(reader=former, ended_at=None))
    # The former owner had the content key. In an album or a team a new lock may have to wait for
    # somebody who is in it, and would shut its members out until then.
    image.relock_after = None if readers.placed else timezone.now()
    return Succession(
        subject=image,
        former=former,
        named_in=member.circle,
        named_by=opener.newest(MEMBERSHIP, member.circle),
        head=head,
        statements=[share, sign(MANIFEST, fields, previous=manifest_head)],
        own=own,
        key=key,
        told=[*kept, *only_given_through(readers.placed, [own, *kept], opener)],
        ending=[*theirs, *readers.invited, *readers.unsigned],
        unsigned=[row for row in readers.unsigned if row not in theirs],
    )


@sensitive_variables()
def _key_by(opener: Opener, image: SealedImage, reader: User, member: Member) -> bytes:
    """Return the image's content key: which the former owner's pages wrapped for these successors,
    or as the owner of the album whose successors they are."""
    if member.circle.album_id:
        return _key_in(member.circle.album_id, opener, image, reader)
    circle_key = opener.circle_key_for(member)
    row = SuccessorKey.objects.filter(image=image, circle=member.circle).first()
    if row is None or (row.lock, row.epoch) != (image.lock, member.circle.epoch):
        raise NotHandedOver
    with step("successor-key"):
        content_key = key_in(row, circle_key)
    if not opener.is_content_key(content_key, image):
        raise Altered("commitment")
    return content_key


@sensitive_variables()
def _key_in(album_id: uuid.UUID, opener: Opener, image: SealedImage, reader: User) -> bytes:
    """Return the content key that is in an album, which is the successor's by now, and in which the
    image's owner put the image: both as signed."""
    album = membership_of(album_id, reader=reader)
    place = image.placements.filter(circle=album_id, ended_at=None).first()
    if place is None or album.circle.owner_id != reader.pk:
        raise NotHandedOver
    place.image, place.circle = image, album.circle
    if not opener.is_signed(place):
        raise Altered("entry")
    if has_ended(place) or place.wrapped is None:
        raise NotHandedOver
    return opener.content_key_for(Access(reader, Through(album, place)))


def _store(image: SealedImage) -> None:
    SuccessorKey.objects.filter(image=image).delete()
    image.upload_id = image.upload_index = None
    image.save(update_fields=["owner", "upload_id", "upload_index", "relock_after"])
    image.grants.update(owner=image.owner)
