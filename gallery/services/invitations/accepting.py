"""Accepting an invitation: an account is made, and what was shared with its person opens at once.

One transaction: person, keys, and everything that the invitation carries under the new key; or
nothing. What its owner signed stays as it is: it names this person already.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.content_keys import wrap_content_key
from accounts.models import User, WrappedKey
from accounts.services.key_making import NewKeys
from accounts.services.people import registration
from audit import events
from audit.events import Event
from cryptocore import circles, content, keypair
from cryptocore.errors import CryptoError
from gallery.access import has_ended, with_owners
from gallery.errors import Altered, HeadMoved, InvitationGone
from gallery.heads import Heads
from gallery.invitation_keys import InvitationKey
from gallery.models import (
    Circle,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    SealedImage,
    Subject,
)
from gallery.sealing import MEMBERSHIP
from gallery.services.acts import starting_anew
from gallery.services.invitations.taking_back import EMPTIED
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices


@dataclass(frozen=True)
class Carried:
    """One image or album of an invitation. `content_key`, or the album's key: None where it waits
    for its owner."""

    row: InvitedGrant
    content_key: bytes | None = field(repr=False)

    @property
    def state(self) -> tuple[object, ...]:
        """What differs once an act of the owner came between."""
        return self.row.pk, bytes(self.row.salt), self.row.lock, self.row.wrapped is None


@sensitive_variables()
def accept(
    *,
    key: InvitationKey,
    username: str,
    display_name: str,
    email: str,
    password: str,
    language: str = "",
) -> Keyring:
    """Make the account of an invitation's person; return its keys, open.

    Raises ValidationError if the name is taken, InvitationGone if somebody was quicker, HeadMoved,
    Busy, TrailAway or AuditUnavailable; then nothing has changed.
    """
    register = partial(
        registration.register,
        username=username,
        display_name=display_name,
        email=email,
        password=password,
        language=language,
        person=key.invitation.person,
    )
    return starting_anew(lambda: _accept_once(key, register))


@sensitive_variables()
def _accept_once(key: InvitationKey, register: Callable[..., Keyring]) -> Keyring:
    invitation, sent = key.invitation, list[Sent]()
    joining = partial(_prepare, invitation, _carried_by(key), sent)
    with events.recorded(
        Event.INVITATION_ACCEPTED,
        actor=invitation.person,
        subject=invitation.pk,
        in_table=True,
    ):
        keyring = register(joining=joining)
        truncate_write_ahead_log()
    record_notices(sent)
    return keyring


# ---- what it carries -------------------------------------------------------------------------


@sensitive_variables()
def _carried_by(key: InvitationKey) -> list[Carried]:
    """Return what its owner shared with this person. Raises TrailAway."""
    rows = [row for row in _live_rows(key.invitation) if not has_ended(row)]
    heads = Heads()
    heads.prepare(with_owners(row.list_of for row in rows))
    return [Carried(row, _content_key(key, row, heads)) for row in rows if _is_signed(row, heads)]


def _live_rows(invitation: Invitation) -> list[InvitedGrant]:
    """Return its rows of images and albums that are there."""
    rows = InvitedGrant.objects.filter(invitation=invitation, ended_at=None)
    rows = rows.filter(image__deleted_at=None, circle__deleted_at=None)
    rows = rows.select_related("image__owner", "circle__owner", "invitation")
    return [row for row in rows.order_by("granted_at", "pk") if row.image or row.circle]


def _is_signed(row: InvitedGrant, heads: Heads) -> bool:
    """Whether its owner signed for it: a row that somebody put in is not made a grant."""
    try:
        return heads.is_signed(row)
    except Altered:
        return False


@sensitive_variables()
def _content_key(key: InvitationKey, row: InvitedGrant, heads: Heads) -> bytes | None:
    """Return the key its owner committed to, or None: then its person waits for the owner."""
    if row.wrapped is None or row.lock != row.list_of.lock:
        return None
    try:
        content_key = key.unwrap(row)
        _check_commitment(content_key, row.list_of, heads)
    except (CryptoError, Altered):
        return None
    return content_key


@sensitive_variables()
def _check_commitment(key: bytes, about: Subject, heads: Heads) -> None:
    owner, lock = about.owner_id, about.lock
    if isinstance(about, Circle):
        signed = bytes.fromhex(heads.head(MEMBERSHIP, about)["key_commitment"])
        circles.check_commitment(key, signed, circle=about.pk, owner=owner, epoch=lock)
    else:
        signed = bytes.fromhex(heads.manifest(about)["key_commitment"])
        content.check_key_commitment(key, signed, image_id=about.pk, owner_id=owner, lock=lock)


# ---- moving it -------------------------------------------------------------------------------


@sensitive_variables()
def _prepare(
    invitation: Invitation, carried: list[Carried], sent: list[Sent], keys: NewKeys
) -> AbstractContextManager[None]:
    """Wrap everything to the new key, before the transaction; return what is done in it."""
    public_key = keypair.load_public_key(bytes(keys.encryption.public_key))
    grants: list[Grant | Member] = []
    for one in carried:
        wrapped, content_key, subject = None, one.content_key, one.row.list_of.pk
        if content_key is not None:
            wrapped = wrap_content_key(
                content_key, keys.encryption, public_key, subject=subject, lock=one.row.lock
            )
            wrapped.quick_key = keys.keyring.wrap_quick_key(
                content_key, subject=subject, lock=one.row.lock
            )
        grants.append(_grant_for(keys.keyring.user, one.row, wrapped))
    return _move(invitation, carried, grants, sent)


def _grant_for(reader: User, row: InvitedGrant, wrapped: WrappedKey | None) -> Grant | Member:
    """Return the row that takes the place of one, of an album the membership: its owner signed
    it already."""
    image = row.image
    grant = Grant(image=image, owner=image.owner) if image else Member(circle=row.circle)
    grant.reader, grant.wrapped_key, grant.granted_at = reader, wrapped, timezone.now()
    grant.entry, grant.salt = row.entry, row.salt
    grant.rights, grant.ends_at = row.rights, row.ends_at
    return grant


@contextmanager
def _move(
    invitation: Invitation, carried: list[Carried], grants: list[Grant | Member], sent: list[Sent]
) -> Iterator[None]:
    """Inside the caller's transaction: use the invitation up; then, with the person there, put a
    grant in the place of each row."""
    unused = Invitation.objects.open().filter(pk=invitation.pk)
    as_read = unused.filter(link_wrapped=invitation.link_wrapped)
    # One conditional update, so that of many at once one succeeds.
    if not as_read.update(used_at=timezone.now(), **EMPTIED):
        raise InvitationGone
    _hold_unmoved(invitation, carried)
    yield
    WrappedKey.objects.filter(subject=invitation.pk).delete()
    InvitedGrant.objects.filter(pk__in=[one.row.pk for one in carried]).delete()
    for grant in grants:
        if grant.wrapped_key:
            grant.wrapped_key.save(force_insert=True)
        grant.save(force_insert=True)
        # One by one: each notice takes the number after the one before.
        sent.append(send_notices(NoticeKind.SHARED, [grant]))


def _hold_unmoved(invitation: Invitation, carried: list[Carried]) -> None:
    """Hold albums and images. Raises HeadMoved if what is carried of them is not as it was read."""
    ids = [one.row.list_of.pk for one in carried]
    held: list[Subject] = [
        *Circle.objects.select_for_update().filter(pk__in=ids).order_by("pk"),
        *SealedImage.objects.select_for_update().filter(pk__in=ids).order_by("pk"),
    ]
    locks = {one.pk: one.lock for one in held if one.deleted_at is None}
    now = {Carried(row, None).state for row in _live_rows(invitation)}
    for one in carried:
        is_waiting = one.content_key is None
        is_there = is_waiting or locks.get(one.row.list_of.pk) == one.row.lock
        if one.state not in now or not is_there:
            raise HeadMoved
    known = {one.row.pk for one in carried}
    for row in _live_rows(invitation):
        if row.pk not in known and not has_ended(row) and _is_signed(row, Heads()):
            raise HeadMoved  # shared with them just now
