"""Taking over: a successor becomes the owner of an image of somebody whom staff have disabled.

The picture stays as it was sealed, under its content key: the new owner signs a manifest and a list
of readers that follow the former owner's, so everybody who could open it still can. Those of the
former owner are kept, and say who sealed it.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys
from accounts.keys.recipients import ReaderKey, hold_people, reader_of
from accounts.keys.remembered import standing_of
from accounts.models import User, WrappedKey
from audit.events import Event
from audit.leaf import Fact
from gallery.access import membership_of
from gallery.beside import key_in
from gallery.errors import (
    AccessEnded,
    Altered,
    HeadMoved,
    NotHandedOver,
    NotYours,
    OwnerActive,
    OwnKeyRefused,
)
from gallery.heads import step
from gallery.image_trail import ImageTrails, date_facts
from gallery.models import (
    Circle,
    Ended,
    Grant,
    Member,
    Rights,
    Row,
    SealedImage,
    Statement,
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
    wrap_to,
)
from gallery.services.acts import (
    end_expired,
    end_rows,
    hold,
    owners_act,
    record_unsigned,
    require_present_signer,
    starting_anew,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.successors import SUCCESSORS, circle_of


@dataclass
class Succession:
    """An image with its new owner's statements and own row, made but not stored yet. `ending`: the
    rows that end with it, the former owner's first."""

    image: SealedImage
    former: User
    named_in: Circle
    named_by: Statement
    head: Statement
    statements: list[Statement]
    own: Grant
    key: WrappedKey = field(repr=False)
    kept: list[Grant]
    ending: list[Row]
    unsigned: list[Row]
    is_placed: bool


@sensitive_variables()
def take_over(*, keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    """Become the owner of an image whose owner named this person a successor, and was disabled.
    Every reader keeps their access; invitations that were not used yet end.

    Enabling the former owner again does not undo it. Raises NotYours for everybody who is no
    successor, OwnerActive, NotHandedOver, Altered, OtherSigner, Waiting, OwnKeyRefused,
    AuditUnavailable or HeadMoved; then nothing has changed.
    """
    return starting_anew(lambda: _take_over_once(keyring, image_id))


@sensitive_variables()
def _take_over_once(keyring: Keyring, image_id: uuid.UUID) -> SealedImage:
    image = SealedImage.objects.filter(pk=image_id, deleted_at=None).select_related("owner").first()
    if image is None:
        raise NotYours
    opener = Opener(keyring)
    member = membership_after(image.owner, opener, reader=keyring.user)
    head = opener.to_follow(SHARE, image)
    taken = _signed(keyring, opener, image, member, head)
    facts: dict[str, Fact] = {"former": str(taken.former.pk), "successors": str(taken.named_in.pk)}
    number = ImageTrails().take_in_begun(image.pk).next_date_number(image)
    facts |= date_facts(image.keep_until, number)
    with owners_act(Event.IMAGE_TAKEN_OVER, image, signed=taken.statements, **facts):
        with transaction.atomic():
            sent = _exchange(taken)
        truncate_write_ahead_log()
    record_unsigned(image, taken.unsigned)
    record_notices([sent])
    return image


def membership_after(owner: User, opener: Opener, *, reader: User) -> Member:
    """Return the reader's place among the successors of this owner, who is disabled: both as the
    trail has it, whatever rows say.

    Raises NotYours for everybody else, Altered, OtherSigner, or OwnerActive.
    """
    circle = circle_of(owner)
    if circle is None or owner.pk == reader.pk:
        raise NotYours
    try:
        member = membership_of(circle.pk, reader=reader, kind=SUCCESSORS)
        opener.check_member(member)
    except AccessEnded:
        raise NotYours from None
    if not standing_of(owner.pk).is_disabled:
        raise OwnerActive(owner)
    return member


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
def _signed(
    keyring: Keyring, opener: Opener, image: SealedImage, member: Member, head: Statement
) -> Succession:
    """Return what is to be stored, signed by the new owner. From here on the image in memory is
    theirs."""
    former, manifest = image.owner, opener.manifest(image)
    manifest_head = opener.to_follow(MANIFEST, image)
    opener.signer_of(image)  # refused if it is not the compared key
    content_key = _handed_over(opener, image, member)
    readers = readers_as_signed(image, opener)
    kept = [row for row in readers.signed if row.reader_id not in (former.pk, keyring.user.pk)]
    rows = [row for row in readers.signed if row.reader_id == keyring.user.pk]
    own = rows[0] if rows else Grant(image=image, reader=keyring.user, granted_at=timezone.now())
    set_entry(own, rights=Rights.DOWNLOAD.value, ends_at=None)
    key = _own_key(keyring, content_key, image)
    image.owner = keyring.user
    sign = partial(sign_statement, keyring=keyring, subject=image.pk)
    share = sign(SHARE, share_fields([own, *kept, *readers.placed]), previous=head)
    sealed = {name: Sealed(b"", facts) for name, facts in manifest["renditions"].items()}
    fields = manifest_fields(sealed, content_key, share, image=image, lock=image.lock)
    theirs = list(image.grants.filter(reader=former, ended_at=None))
    return Succession(
        image=image,
        former=former,
        named_in=member.circle,
        named_by=opener.newest(MEMBERSHIP, member.circle),
        head=head,
        statements=[share, sign(MANIFEST, fields, previous=manifest_head)],
        own=own,
        key=key,
        kept=kept,
        ending=[*theirs, *readers.invited, *readers.unsigned],
        unsigned=[row for row in readers.unsigned if row not in theirs],
        is_placed=bool(readers.placed),
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


@sensitive_variables()
def _own_key(keyring: Keyring, content_key: bytes, image: SealedImage) -> WrappedKey:
    own_key: ReaderKey | None = reader_of(keyring.user).key
    if own_key is None:
        raise OwnKeyRefused
    keyring.prove(own_key.pair)  # certified is not enough when you wrap to yourself
    key = wrap_to(own_key, content_key, subject=image.pk, lock=image.lock)
    key.quick_key = keyring.wrap_quick_key(content_key, subject=image.pk, lock=image.lock)
    return key


def _exchange(taken: Succession) -> Sent:
    image, own = taken.image, taken.own
    hold(taken.named_in, taken.named_by)
    hold(image, taken.head)
    people: Sequence[User] = [taken.former, image.owner, *(row.reader for row in taken.kept)]
    try:
        hold_people(people, pairs=[taken.key.key_pair])
    except NoKeys:
        raise HeadMoved from None
    require_present_signer(image.owner, taken.statements[0])
    # Held now: staff who enable them meanwhile come before this, or after it.
    if User.objects.get(pk=taken.former.pk).is_active:
        raise OwnerActive(taken.former)
    end_rows(taken.ending, Ended.TAKEN_OVER)
    end_expired(image)
    WrappedKey.objects.filter(grant=own).delete()
    taken.key.save(force_insert=True)
    own.wrapped_key = taken.key
    own.save()
    Statement.objects.bulk_create(taken.statements)
    SuccessorKey.objects.filter(image=image).delete()
    image.upload_id = image.upload_index = None
    # The former owner had the content key. In an album or a team a new lock may have to wait for
    # somebody who is in it, and would shut its members out until then.
    image.relock_after = None if taken.is_placed else timezone.now()
    image.save(update_fields=["owner", "upload_id", "upload_index", "relock_after"])
    # The former owner, too: of each access to another's image its person has had a notice.
    grants = [row for row in taken.ending if isinstance(row, Grant)]
    theirs = [grant for grant in grants if grant.reader_id == taken.former.pk]
    return send_notices(NoticeKind.TAKEN_OVER, [*theirs[:1], *taken.kept])
