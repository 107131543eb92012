"""Sealing a new image: encrypt, wrap, sign, record, commit; everything or nothing."""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.recipients import Reader, ReaderKey, hold_people
from accounts.models import User, WrappedKey
from audit.events import Event
from cryptocore import canonical
from cryptocore.picture import new_picture_key
from gallery import storage
from gallery.beside import hold_circles, hold_invitations, wrap_beside
from gallery.circle_keys import CircleOpener
from gallery.image_trail import date_facts
from gallery.invitation_keys import InvitationKey
from gallery.members import given_through
from gallery.models import (
    Circle,
    Grant,
    InvitedGrant,
    Member,
    Placement,
    Rendition,
    SealedImage,
    Statement,
    Subject,
)
from gallery.pictures import Picture
from gallery.sealing import (
    MANIFEST,
    SHARE,
    Plain,
    Received,
    Sealed,
    manifest_fields,
    seal_rendition,
    set_entry,
    share_fields,
    sign_statement,
    wrap_for,
    wrap_to,
)
from gallery.services.acts import owners_act
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.quota import require_room

FIRST_LOCK = FIRST_DATE = 1
ONE_UPLOAD_LASTS = timedelta(hours=12)  # at most: what is added to it later counts as a new one


@dataclass(frozen=True)
class Terms:
    """What an act of sharing grants."""

    rights: str
    ends_at: datetime | None


@dataclass(frozen=True)
class Origin:
    """Which file of which upload an image comes from: a retry finds it by that, and lists have it
    in its place."""

    upload_id: uuid.UUID | None
    index: int | None


@sensitive_variables()
def upload_image(
    *,
    keyring: Keyring,
    picture: Picture[Received],
    caption: str,
    file_name: str,
    own_key: ReaderKey,
    recipients: Iterable[Reader],
    terms: Terms,
    origin: Origin,
    keep_until: datetime | None = None,
    invitations: Sequence[InvitationKey] = (),
    teams: Iterable[Circle] = (),
) -> SealedImage:
    """Seal `picture` for its owner, the recipients, the people of the invitations, and whoever is
    or will be in `teams`; `keep_until` is when it is deleted.

    Raises StorageAway, AuditUnavailable, OverQuota, NoKeys if a recipient's key changed meanwhile,
    HeadMoved if an invitation is over or a team has its next key, or IntegrityError if `origin`
    made an image already; then nothing is stored.
    """
    image, content_key = new_image(keyring.user, origin, keep_until), picture.original.content_key
    beside = what_is_beside(picture, caption=caption, file_name=file_name, owner_id=image.owner_id)
    sealed = {name: seal_rendition(name, plain, content_key) for name, plain in beside.items()}
    sealed[Rendition.Name.ORIGINAL.value] = picture.original.sealed(picture.media_type)
    image.stored_bytes = sum(len(rendition.stored) for rendition in sealed.values())
    key = wrap_to(own_key, content_key, subject=image.pk, lock=image.lock)
    key.quick_key = keyring.wrap_quick_key(content_key, subject=image.pk, lock=image.lock)
    grants = [new_grant(image, keyring.user, key, Terms(Grant.Rights.DOWNLOAD.value, None))]
    wrap = partial(wrap_for, content_key=content_key, subject=image.pk, lock=image.lock)
    grants += [new_grant(image, reader.user, wrap(reader), terms) for reader in recipients]
    for grant in grants:  # lists are sorted by it
        grant.granted_at = image.sealed_at
    invited = [new_invited(one, image, content_key, terms) for one in invitations]
    places = [new_place(image, team, terms) for team in teams]
    opener, through = CircleOpener(keyring), list[Grant | Member]()
    for place in places:
        wrap_beside(place, content_key, lock=image.lock, opener=opener)
        through += given_through(place, opener)
    share = share_fields([*grants, *invited, *places])
    statements = _first_statements(image, sealed, content_key, share, keyring=keyring)
    dates = date_facts(keep_until, FIRST_DATE) if keep_until else {}
    with owners_act(Event.IMAGE_UPLOADED, image, signed=statements, **dates):
        sent = _store(image, sealed, statements, grants, [*invited, *places], through)
    record_notices([sent])
    return image


def new_image(owner: User, origin: Origin, keep_until: datetime | None) -> SealedImage:
    """Return an image under its first lock: not stored yet."""
    return SealedImage(
        owner=owner,
        lock=FIRST_LOCK,
        sealed_at=_moment(owner, origin),
        keep_until=keep_until,
        upload_id=origin.upload_id,
        upload_index=origin.index if origin.upload_id else None,
    )


def _moment(owner: User, origin: Origin) -> datetime:
    """Return the time of an image. Those of one upload have the time of its first one, each a
    microsecond before the one that was chosen ahead of it: so lists, newest first, have them in the
    order in which they were chosen, whichever arrived first."""
    now = timezone.now()
    if origin.upload_id is None or origin.index is None:
        return now
    others = SealedImage.objects.filter(owner=owner, upload_id=origin.upload_id)
    stored = others.filter(sealed_at__gte=now - ONE_UPLOAD_LASTS).order_by("upload_index")
    if (first := stored.first()) is None:
        return now - timedelta(microseconds=origin.index)
    ahead = (first.upload_index or 0) - origin.index
    return first.sealed_at + timedelta(microseconds=ahead)


@sensitive_variables()
def _first_statements(
    image: SealedImage,
    sealed: dict[str, Sealed],
    content_key: bytes,
    share_says: dict[str, object],
    *,
    keyring: Keyring,
) -> list[Statement]:
    sign = partial(sign_statement, keyring=keyring, subject=image.pk, previous=None)
    share = sign(SHARE, share_says)
    manifest = manifest_fields(sealed, content_key, share, image=image, lock=image.lock)
    return [sign(MANIFEST, manifest), share]


def what_is_beside(
    picture: Picture[Received], *, caption: str, file_name: str, owner_id: uuid.UUID
) -> dict[str, Plain]:
    """Return what is sealed beside a picture's original: two renditions and their description."""
    description = {
        "caption": caption,
        "file_name": file_name,
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "format": picture.format,
        "size": picture.original.length,
        "captured_at": picture.captured_at,
        "removed": list(picture.removed),
        "owner": str(owner_id),
        "picture_key": new_picture_key().hex(),
    }
    return {
        Rendition.Name.PREVIEW.value: Plain([picture.preview], picture.preview_media_type),
        Rendition.Name.THUMBNAIL.value: Plain([picture.thumbnail], picture.thumbnail_media_type),
        Rendition.Name.DESCRIPTION.value: Plain(
            [canonical.encode(description)], "application/json"
        ),
    }


def new_grant(image: SealedImage, reader: User, key: WrappedKey | None, terms: Terms) -> Grant:
    grant = Grant(image=image, owner=image.owner, reader=reader, wrapped_key=key)
    grant.granted_at = timezone.now()
    set_entry(grant, rights=terms.rights, ends_at=terms.ends_at)
    return grant


@sensitive_variables()
def new_invited(
    key: InvitationKey, about: Subject, content_key: bytes, terms: Terms
) -> InvitedGrant:
    """Return what an invitation carries of an image, or of a circle: not stored yet."""
    wrapped = key.wrap(content_key, subject=about.pk, lock=about.lock)
    place = {"circle" if isinstance(about, Circle) else "image": about}
    row = InvitedGrant(invitation=key.invitation, lock=about.lock, wrapped=wrapped, **place)
    row.granted_at = timezone.now()
    set_entry(row, rights=terms.rights, ends_at=terms.ends_at)
    return row


def new_place(image: SealedImage, circle: Circle, terms: Terms) -> Placement:
    """Return an image's place in an album or a team: not stored, and without a key yet."""
    place = Placement(
        circle=circle,
        image=image,
        lock=image.lock,
        epoch=circle.epoch,
        granted_at=timezone.now(),
    )
    set_entry(place, rights=terms.rights, ends_at=terms.ends_at)
    return place


def _store(
    image: SealedImage,
    sealed: dict[str, Sealed],
    statements: list[Statement],
    grants: list[Grant],
    beside: list[InvitedGrant | Placement],
    through: list[Grant | Member],
) -> Sent:
    """Write ciphertext, then rows; if the rows fail, take the ciphertext away again. `through`: of
    what people in teams are told."""
    names: dict[str, str] = {}
    wrapped = [grant.wrapped_key for grant in grants if grant.wrapped_key]
    try:
        for name, rendition in sealed.items():
            names[name] = storage.put(rendition.stored)
        with transaction.atomic():
            hold_invitations(beside)
            hold_circles(beside)
            own = {grant.reader_id for grant in grants}
            told = [*grants[1:], *(row for row in through if row.reader_id not in own)]
            readers = [row.reader for row in (grants[0], *told) if row.reader]
            hold_people(readers, pairs=(key.key_pair for key in wrapped))
            image.save(force_insert=True)
            require_room(image)
            add_renditions(image, names)
            Statement.objects.bulk_create(statements)
            WrappedKey.objects.bulk_create(wrapped)
            Grant.objects.bulk_create(grants)
            for row in beside:
                row.save(force_insert=True)
            return send_notices(NoticeKind.SHARED, told)
    except BaseException:
        discard_unreferenced(names.values())
        raise


def discard_unreferenced(names: Iterable[str]) -> None:
    """Delete stored bytes that no row names.

    An error does not prove that a commit failed: its answer alone may have been lost, and then the
    rows are there and name these very bytes. What the database cannot deny now is left to `purge`.
    """
    names = set(names)
    with suppress(DatabaseError):
        rows = Rendition.objects.filter(storage_name__in=names)
        storage.discard(names.difference(rows.values_list("storage_name", flat=True)))


def add_renditions(image: SealedImage, names: dict[str, str]) -> None:
    Rendition.objects.bulk_create(
        Rendition(image=image, name=name, storage_name=stored) for name, stored in names.items()
    )
