"""Revoking re-locks: a new content key, new stored bytes, wrapped again for those who remain.

So a restored old row opens nothing. What the former reader saw, or saved, stays with them.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys
from accounts.keys.pins import Contacts, ContactsRefused, KeyChanged, contacts_of
from accounts.keys.recipients import hold_people, reader_of
from accounts.models import User, WrappedKey
from audit.events import Event
from cryptocore import content
from gallery import storage
from gallery.access import Access, membership_of
from gallery.beside import hold_circles, hold_invitations, wrap_beside
from gallery.errors import AccessEnded, HeadMoved, NotARecipient, NotYours, WouldWait
from gallery.members import only_given_through
from gallery.models import (
    Ended,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Rendition,
    Row,
    SealedImage,
    Statement,
)
from gallery.opening import Opener
from gallery.readers import everybody_signed_has_a_row, readers_as_signed
from gallery.sealing import (
    MANIFEST,
    SHARE,
    Plain,
    Sealed,
    manifest_fields,
    seal_rendition,
    set_entry,
    share_fields,
    sign_statement,
    wrap_for,
    wrap_to_oneself,
)
from gallery.services.acts import (
    altered_if_refused,
    anew_if_moved,
    end_expired,
    end_rows,
    hold,
    owners_access,
    owners_act,
    record_unsigned,
    starting_anew,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.uploading import add_renditions, discard_unreferenced

Holder = tuple[str, uuid.UUID]
Taken = TypeVar("Taken", Grant, Placement)
Ending = Grant | Placement | InvitedGrant


@dataclass
class NextLock:
    """An image under its next lock, made but not stored yet.

    `beside`: albums, teams and invitations that remain. `unsigned` rows end with it: they name
    holders whom the owner never signed for. `lost`: what people had through a team that is out.
    """

    head: Statement
    lock: int
    sealed: dict[str, Sealed] = field(repr=False)
    statements: list[Statement]
    remaining: list[Grant]
    beside: list[Placement | InvitedGrant]
    unsigned: list[Row]
    lost: Sequence[Grant | Member]


@sensitive_variables()
def revoke(*, keyring: Keyring, image_id: uuid.UUID, recipient: User) -> Grant:
    """End `recipient`'s access to the owner's image and change its lock; return the ended grant.

    For somebody whose access ended already there is nothing to do if all rows are there that the
    owner signed. Otherwise one is hidden and may come back: the lock changes, without that person.
    Raises NotARecipient for somebody who has no row; NotYours, NotAllowed, Altered, StorageAway,
    AuditUnavailable or HeadMoved: then nothing has changed.
    """
    return starting_anew(lambda: _revoke_once(keyring, image_id, recipient))


def _revoke_once(keyring: Keyring, image_id: uuid.UUID, recipient: User) -> Grant:
    access = owners_access(keyring, image_id)
    if recipient == keyring.user:
        raise NotARecipient
    rows = access.image.grants.filter(reader=recipient)
    return take_back(keyring, access, rows, without=("person", recipient.pk))


@sensitive_variables()
def take_back(keyring: Keyring, access: Access, rows: QuerySet[Taken], *, without: Holder) -> Taken:
    """End these rows of one holder, and change the lock; return the last one, ended. Raises as
    revoke() does."""
    rows = rows.order_by("granted_at")
    live = list(rows.filter(ended_at=None))
    relocked = None
    with anew_if_moved(access):
        if live or not everybody_signed_has_a_row(access.image, Opener(keyring)):
            relocked = _relock(keyring, access, without=without)
    if relocked:
        _commit(access.image, relocked, live)
    if ended := rows.last():
        return ended
    raise NotARecipient


@sensitive_variables()
def end_invited(*, keyring: Keyring, image_id: uuid.UUID, invitation: Invitation) -> None:
    """End what an invitation carries of the owner's image and change its lock; of somebody who has
    used it meanwhile, their access. Raises as revoke() does."""
    starting_anew(lambda: _end_invited_once(keyring, image_id, invitation))


@sensitive_variables()
def _end_invited_once(keyring: Keyring, image_id: uuid.UUID, invitation: Invitation) -> None:
    access, person = owners_access(keyring, image_id), invitation.person
    rows = access.image.invited.select_related("invitation")
    live = list(rows.filter(invitation=invitation, ended_at=None))
    if live:
        with anew_if_moved(access):
            relocked = _relock(keyring, access, without=("person", person))
        _commit(access.image, relocked, live)
    elif user := User.objects.filter(pk=person).first():
        _revoke_once(keyring, image_id, user)
    else:
        raise NotARecipient


@sensitive_variables()
def relock(*, keyring: Keyring, image_id: uuid.UUID, keeping_everybody: bool = False) -> None:
    """Change the lock of the owner's image and end nobody's access: somebody who could open it
    once may know its content key. Raises as revoke() does, and WouldWait where the owner did not
    ask for it (`keeping_everybody`) and a reader would lose their key; then nothing has changed."""
    starting_anew(lambda: _relock_once(keyring, image_id, keeping_everybody))


@sensitive_variables()
def _relock_once(keyring: Keyring, image_id: uuid.UUID, keeping_everybody: bool) -> None:
    access = owners_access(keyring, image_id)
    with anew_if_moved(access):
        relocked = _relock(keyring, access)
    without_key = [grant.pk for grant in relocked.remaining if grant.wrapped_key is None]
    have_one = Grant.objects.filter(pk__in=without_key).exclude(wrapped_key=None)
    if keeping_everybody and (have_one.exists() or _shuts_out(relocked, keyring.user)):
        raise WouldWait
    _commit(access.image, relocked, [])


def _shuts_out(relocked: NextLock, owner: User) -> bool:
    """Whether the image is in an album or a team that its owner, who took it over, is not in: its
    people would wait for good."""
    for row in relocked.beside:
        if isinstance(row, Placement) and row.wrapped is None and row.circle.deleted_at is None:
            try:
                membership_of(row.circle_id, reader=owner, kind=None)
            except (NotYours, AccessEnded):
                return True
    return False


@sensitive_variables()
def _relock(keyring: Keyring, access: Access, *, without: Holder | None = None) -> NextLock:
    """Open everything once more and seal it under a new content key.

    `without` is a holder, of a person with or without an account yet, and not a row: what a row
    says may change between two looks at it.
    """
    image, lock, content_key = access.image, access.image.lock + 1, content.new_content_key()
    opener = Opener(keyring)
    share_head, manifest_head = opener.to_follow(SHARE, image), opener.to_follow(MANIFEST, image)
    sealed = {}
    for name in Rendition.Name.values:
        opened = opener.open(access, name)
        plain = Plain(opened.chunks(), opened.media_type)
        sealed[name] = seal_rendition(name, plain, content_key)
    readers = readers_as_signed(image, opener)
    remaining = [grant for grant in readers.signed if grant.holder != without]
    beside = [row for row in readers.beside if row.holder != without]
    contacts = None  # if the list is refused: that does not keep an owner from taking access back
    with suppress(ContactsRefused):
        contacts = contacts_of(keyring)
    for grant in remaining:
        set_entry(grant, rights=grant.rights, ends_at=grant.ends_at)
        grant.wrapped_key = wrap_anew(grant, keyring, contacts, content_key, lock)
    for row in beside:
        set_entry(row, rights=row.rights, ends_at=row.ends_at)
        wrap_beside(row, content_key, lock=lock, opener=opener)
    sign = partial(sign_statement, keyring=keyring, subject=image.pk)
    share = sign(SHARE, share_fields([*remaining, *beside]), previous=share_head)
    fields = manifest_fields(sealed, content_key, share, image=image, lock=lock)
    manifest = sign(MANIFEST, fields, previous=manifest_head)
    out = [row for row in readers.beside if row.holder == without]
    return NextLock(
        head=share_head,
        lock=lock,
        sealed=sealed,
        statements=[manifest, share],
        remaining=remaining,
        beside=beside,
        unsigned=[row for row in readers.unsigned if row.holder != without],
        lost=only_given_through(out, remaining, opener),
    )


@sensitive_variables()
def wrap_anew(
    row: Grant | Member, keyring: Keyring, contacts: Contacts | None, key: bytes, lock: int
) -> WrappedKey | None:
    """Return the new key for one who remains, or None to let a reader without a usable key wait.

    Another person's missing or changed key must not keep the owner from revoking. If nobody can
    know whose key changed, everybody but the owner waits. The owner never does: nobody could give
    them theirs again. Raises OwnKeyRefused.
    """
    subject = row.list_of.pk
    if row.reader_id == keyring.user.pk:
        return wrap_to_oneself(keyring, key, subject=subject, lock=lock)
    if row.reader is None or not row.reader.is_active or contacts is None:
        return None
    try:
        reader = reader_of(row.reader)
        contacts.require_unchanged([reader], but_names=True)
    except (NoKeys, KeyChanged):
        return None
    return wrap_for(reader, key, subject=subject, lock=lock)


def _commit(image: SealedImage, relocked: NextLock, ended: Sequence[Ending]) -> None:
    """Write the new ciphertext, exchange the rows, then take the old ciphertext away."""
    kind, holder = ended[0].holder if ended else ("", None)
    facts = {"reader" if kind == "person" else kind: str(holder)} if ended else {}
    event = Event.IMAGE_REVOKED if ended else Event.IMAGE_RELOCKED
    old_names = list(image.renditions.values_list("storage_name", flat=True))
    new_names: dict[str, str] = {}
    with owners_act(event, image, signed=relocked.statements, **facts):
        try:
            for name, rendition in relocked.sealed.items():
                new_names[name] = storage.put(rendition.stored)
            with altered_if_refused(), transaction.atomic():
                sent = _exchange(image, relocked, ended, new_names)
        except BaseException:
            discard_unreferenced(new_names.values())
            raise
        storage.discard(old_names)
        truncate_write_ahead_log()
    record_unsigned(image, relocked.unsigned)
    record_notices([sent])


def _exchange(
    image: SealedImage,
    relocked: NextLock,
    ended: Sequence[Ending],
    new_names: dict[str, str],
) -> Sent:
    former = [row for row in ended if isinstance(row, Grant)][:1]  # a row may have been copied
    lost = [*former, *relocked.lost]
    people = [row.reader for row in lost if row.reader]
    unused = [row for row in ended if isinstance(row, InvitedGrant) and not row.is_over]
    hold_invitations([*relocked.beside, *unused])
    hold_circles(relocked.beside)
    hold(image, relocked.head)
    keys = [grant.wrapped_key for grant in relocked.remaining if grant.wrapped_key]
    try:
        hold_people(people, pairs=(key.key_pair for key in keys))
    except NoKeys:  # somebody's key changed meanwhile: they will wait
        raise HeadMoved from None
    end_rows([*ended, *relocked.unsigned], Ended.REVOKED)
    end_expired(image)
    WrappedKey.objects.filter(subject=image.pk).delete()
    WrappedKey.objects.bulk_create(keys)
    for row in (*relocked.remaining, *relocked.beside):
        row.save()
    image.renditions.all().delete()
    add_renditions(image, new_names)
    Statement.objects.bulk_create(relocked.statements)
    image.lock = relocked.lock
    image.stored_bytes = sum(len(sealed.stored) for sealed in relocked.sealed.values())
    image.relock_after = None
    image.save(update_fields=["lock", "stored_bytes", "relock_after"])
    return send_notices(NoticeKind.REVOKED, lost)
