"""Taking over: a successor becomes the owner of an image of somebody whom staff have disabled.

The picture stays as it was sealed, under its content key: the new owner signs a manifest and a list
of readers that follow the former owner's, so everybody who could open it still can. Those of the
former owner are kept, and say who sealed it.
"""

import uuid
from collections.abc import Collection
from functools import partial

from django.db.models import Count, F, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from audit.events import Event
from gallery.beside import key_in
from gallery.errors import Altered, NotHandedOver, NotYours
from gallery.heads import step
from gallery.image_trail import ImageTrails, date_facts
from gallery.members import only_given_through
from gallery.models import Grant, Member, Rights, SealedImage, SuccessorKey
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
from gallery.services.succession import Succession, carry_out, own_key, place_to_take_over


@sensitive_variables()
def take_over(*, keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    """Become the owner of an image whose owner named this person a successor, and was disabled.
    Every reader keeps their access; invitations that were not used yet end.

    Enabling the former owner again does not undo it. Raises NotYours for everybody who is no
    successor, TakenBefore, OwnerActive, NotHandedOver, Altered, OtherSigner, Waiting,
    OwnKeyRefused, AuditUnavailable or HeadMoved; then nothing has changed.
    """
    return starting_anew(lambda: _take_over_once(keyring, image_id))


@sensitive_variables()
def _take_over_once(keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    image = SealedImage.objects.filter(pk=image_id, deleted_at=None).select_related("owner").first()
    if image is None:
        raise NotYours
    opener = Opener(keyring)
    member = place_to_take_over(image, opener, reader=keyring.user)
    taken = _signed(keyring, opener, image, member)
    number = ImageTrails().take_in_begun(image.pk).next_date_number(image)
    dates = date_facts(image.keep_until, number)
    carry_out(Event.IMAGE_TAKEN_OVER, taken, partial(_store, image), **dates)
    return image


def keys_to_take_over(member: Member) -> QuerySet[SuccessorKey]:
    """Return the keys of the owner's images that this successor can use now."""
    return _usable_keys().filter(circle=member.circle).order_by("image__sealed_at")


def images_to_take_over(members: Collection[Member]) -> dict[uuid.UUID, tuple[int, int]]:
    """Return, by owner, how many images there are and how many of their keys these successors can
    use now: two queries for all owners."""
    circles = {member.circle_id: member.circle.owner_id for member in members}
    there = SealedImage.objects.filter(owner__in=circles.values(), deleted_at=None)
    images = dict(there.values_list("owner").annotate(Count("pk")))
    keys = dict(
        _usable_keys().filter(circle__in=circles).values_list("circle").annotate(Count("pk"))
    )
    return {owner: (images.get(owner, 0), keys.get(pk, 0)) for pk, owner in circles.items()}


def _usable_keys() -> QuerySet[SuccessorKey]:
    """Return the keys of images that are there, of their present lock and owner's successors."""
    return SuccessorKey.objects.filter(
        epoch=F("circle__epoch"),
        lock=F("image__lock"),
        image__owner=F("circle__owner"),
        image__deleted_at=None,
    )


@sensitive_variables()
def _signed(keyring: Keyring, opener: Opener, image: SealedImage, member: Member) -> Succession:
    """Return what is to be stored, signed by the new owner. From here on the image in memory is
    theirs."""
    head = opener.to_follow(SHARE, image)
    former, manifest = image.owner, opener.manifest(image)
    manifest_head = opener.to_follow(MANIFEST, image)
    opener.signer_of(image)  # refused if it is not the compared key
    content_key = _handed_over(opener, image, member)
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
def _handed_over(opener: Opener, image: SealedImage, member: Member) -> bytes:
    """Return the image's content key, which the former owner's pages wrapped for successors."""
    circle_key = opener.circle_key_for(member)
    row = SuccessorKey.objects.filter(image=image, circle=member.circle).first()
    if row is None or (row.lock, row.epoch) != (image.lock, member.circle.epoch):
        raise NotHandedOver
    with step("successor-key"):
        content_key = key_in(row, circle_key)
    if not opener.is_content_key(content_key, image):
        raise Altered("commitment")
    return content_key


def _store(image: SealedImage) -> None:
    SuccessorKey.objects.filter(image=image).delete()
    image.upload_id = image.upload_index = None
    image.save(update_fields=["owner", "upload_id", "upload_index", "relock_after"])
    image.grants.update(owner=image.owner)
