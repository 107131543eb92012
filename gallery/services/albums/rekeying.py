"""The next key of an album: without one member, or after a member's time was over.

The new key is wrapped to those who remain, and the content key of every image is wrapped under it.
A former member had those content keys: each image is due for a new lock, at its owner's next page.
"""

import uuid
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys
from accounts.keys.pins import ContactsRefused, contacts_of
from accounts.keys.recipients import lock_keys
from accounts.models import User, WrappedKey
from audit.events import Event
from cryptocore import circles
from cryptocore.errors import CryptoError
from gallery.access import has_ended
from gallery.beside import content_key_in, wrap_beside, wrap_for_circle
from gallery.errors import HeadMoved, NotARecipient, WouldWait
from gallery.members import everybody_signed_is_a_member
from gallery.models import (
    Circle,
    Ended,
    InvitedGrant,
    Member,
    Placement,
    Row,
    SealedImage,
    Statement,
)
from gallery.sealing import set_entry
from gallery.services.acts import (
    end_expired,
    end_rows,
    hold,
    image_act,
    record_unsigned,
    starting_anew,
)
from gallery.services.albums.acts import OwnAlbum, own_album, seal_details, sign_membership
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.revoking import wrap_anew

AT_ONCE = 500  # placements in one statement of the database


@dataclass
class NextEpoch:
    """An album under its next key, made but not stored yet. `placed`: what is in it, under that
    key; `read`: the same rows as they were."""

    circle: Circle
    membership: Statement
    remaining: list[Member]
    invited: list[InvitedGrant]
    unsigned: list[Row]
    placed: list[Placement] = field(repr=False)
    read: set[tuple[object, ...]] = field(repr=False)


@sensitive_variables()
def revoke_member(*, keyring: Keyring, album_id: uuid.UUID, recipient: User) -> Member:
    """Take somebody out of the owner's album, and their own images with them; return the ended
    membership.

    Raises NotARecipient for somebody who has no row; NotYours, NotAllowed, AccessEnded, Altered,
    AuditUnavailable or HeadMoved: then nothing has changed.
    """
    return starting_anew(lambda: _revoke_once(keyring, album_id, recipient))


@sensitive_variables()
def _revoke_once(keyring: Keyring, album_id: uuid.UUID, recipient: User) -> Member:
    album = own_album(keyring, album_id)
    if recipient == keyring.user:
        raise NotARecipient
    rows = album.circle.members.filter(reader=recipient).order_by("granted_at")
    live = list(rows.filter(ended_at=None))
    if live or not everybody_signed_is_a_member(album.circle, album.opener):
        _commit(album, _next_epoch(album, without=("person", recipient.pk)), live)
    if ended := rows.last():
        return ended
    raise NotARecipient


@sensitive_variables()
def rekey(*, keyring: Keyring, album_id: uuid.UUID, keeping_everybody: bool = False) -> None:
    """Give the owner's album its next key and take nobody out. Raises as revoke_member() does, and
    WouldWait where the owner did not ask for it (`keeping_everybody`) and a member would lose their
    key; then nothing has changed."""
    starting_anew(lambda: _rekey_once(keyring, album_id, keeping_everybody))


@sensitive_variables()
def _rekey_once(keyring: Keyring, album_id: uuid.UUID, keeping_everybody: bool) -> None:
    album = own_album(keyring, album_id)
    following = _next_epoch(album)
    without_key = [member.pk for member in following.remaining if member.wrapped_key is None]
    have_one = Member.objects.filter(pk__in=without_key).exclude(wrapped_key=None)
    if keeping_everybody and have_one.exists():
        raise WouldWait
    _commit(album, following, [])


@sensitive_variables()
def _next_epoch(album: OwnAlbum, *, without: tuple[str, uuid.UUID] | None = None) -> NextEpoch:
    """`without` is a holder and not a row: what a row says may change between two looks at it."""
    key, circle = circles.new_circle_key(), copy(album.circle)
    circle.epoch += 1
    seal_details(circle, key, **album.details)
    remaining = [member for member in album.members.signed if member.holder != without]
    _wrap_for_members(album, remaining, key, epoch=circle.epoch)
    for invited in album.members.invited:
        set_entry(invited, rights=invited.rights, ends_at=invited.ends_at)
        wrap_beside(invited, key, lock=circle.epoch, opener=album.opener)
    rows = album.circle.placements.filter(ended_at=None).select_related("image")
    kept = [row for row in rows if ("person", row.image.owner_id) != without]
    read = {_as_read(row) for row in kept}
    for row in kept:
        _wrap_under_next(row, album.key, key, epoch=circle.epoch)
    listed = [*remaining, *album.members.invited]
    return NextEpoch(
        circle=circle,
        membership=sign_membership(circle, key, listed, keyring=album.keyring, previous=album.head),
        remaining=remaining,
        invited=album.members.invited,
        unsigned=[row for row in album.members.unsigned if row.holder != without],
        placed=kept,
        read=read,
    )


@sensitive_variables()
def _wrap_for_members(album: OwnAlbum, members: list[Member], key: bytes, *, epoch: int) -> None:
    contacts = None  # if the list is refused: that does not keep an owner from taking access back
    with suppress(ContactsRefused):
        contacts = contacts_of(album.keyring)
    for member in members:
        set_entry(member, rights=member.rights, ends_at=member.ends_at)
        member.wrapped_key = wrap_anew(member, contacts, key, epoch)
        if member.reader_id == album.keyring.user.pk and member.wrapped_key:
            album.keyring.prove(member.wrapped_key.key_pair)
            quick_key = album.keyring.wrap_quick_key(key, subject=album.circle.pk, lock=epoch)
            member.wrapped_key.quick_key = quick_key


@sensitive_variables()
def _wrap_under_next(row: Placement, key: bytes, next_key: bytes, *, epoch: int) -> None:
    """What the key of now does not open, or whose time is over, waits for the image's owner."""
    content_key = None
    if row.wrapped and not has_ended(row):
        with suppress(CryptoError):
            content_key = content_key_in(row, key)
    row.epoch, row.wrapped = epoch, None
    if content_key is not None:
        wrap_for_circle(row, content_key, next_key, epoch=epoch)


def _as_read(row: Placement) -> tuple[object, ...]:
    return row.pk, row.image_id, row.lock, row.epoch, bytes(row.wrapped or b"")


def _commit(album: OwnAlbum, following: NextEpoch, ended: list[Member]) -> None:
    facts = {"reader": str(ended[0].reader_id)} if ended else {}
    event = Event.ALBUM_REVOKED if ended else Event.ALBUM_REKEYED
    signed = [following.membership]
    with image_act(event, album.circle, signed=signed, **facts):
        with transaction.atomic():
            sent = _exchange(album, following, ended)
        truncate_write_ahead_log()
    record_unsigned(album.circle, following.unsigned)
    record_notices([sent])


def _exchange(album: OwnAlbum, following: NextEpoch, ended: list[Member]) -> Sent:
    circle = following.circle
    hold(album.circle, album.head)
    _exchange_placements(following, {member.reader_id for member in ended})
    keys = [member.wrapped_key for member in following.remaining if member.wrapped_key]
    people = [member.reader for member in ended if member.reader]
    try:
        lock_keys((key.key_pair for key in keys), besides=people)
    except NoKeys:  # somebody's key changed meanwhile: they will wait
        raise HeadMoved from None
    end_rows([*ended, *following.unsigned], Ended.REVOKED)
    WrappedKey.objects.filter(subject=circle.pk).delete()
    WrappedKey.objects.bulk_create(keys)
    for row in (*following.remaining, *following.invited):
        row.save()
    end_expired(circle)
    following.membership.save(force_insert=True)
    circle.rekey_after = None
    circle.save(update_fields=["epoch", "details", "members_add", "rekey_after"])
    return send_notices(NoticeKind.REVOKED, ended[:1])  # a row may have been copied


def _exchange_placements(following: NextEpoch, gone: set[uuid.UUID | None]) -> None:
    """Every image is due for a new lock, those whose owner is `gone` are out of the album. Raises
    HeadMoved if one was placed or re-locked since they were read."""
    live = following.circle.placements.filter(ended_at=None).select_related("image")
    now, out = timezone.now(), [row for row in live if row.image.owner_id in gone]
    if not {_as_read(row) for row in live if row not in out} <= following.read:
        raise HeadMoved
    images = SealedImage.objects.filter(pk__in=[row.image_id for row in live])
    held = [image.pk for image in images.select_for_update().order_by("pk")]
    SealedImage.objects.filter(pk__in=held, deleted_at=None).update(relock_after=now)
    end_rows(out, Ended.REVOKED)
    # Of what was ended meanwhile nothing is left.
    rows = Placement.objects.filter(circle=following.circle, ended_at=None)
    rows.bulk_update(following.placed, ["wrapped"], batch_size=AT_ONCE)
    rows.update(epoch=following.circle.epoch)
