"""Sharing a sealed image later, and changing what was granted.

Each act is one new share statement that replaces the one before.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.pins import contacts_of
from accounts.keys.recipients import Reader, lock_keys
from audit.events import Event
from cryptocore import statements
from gallery.beside import hold_invitations
from gallery.errors import Altered, HeadMoved, TooManyReaders
from gallery.invitation_keys import InvitationKey
from gallery.models import (
    Ended,
    Grant,
    Invitation,
    InvitedGrant,
    Listed,
    Placement,
    SealedImage,
    Statement,
)
from gallery.opening import Opener
from gallery.readers import Readers, readers_as_signed
from gallery.sealing import (
    SHARE,
    set_entry,
    share_fields,
    sign_statement,
    wrap_for,
)
from gallery.services.acts import (
    anew_if_moved,
    end_expired,
    end_rows,
    hold,
    image_act,
    owners_access,
    require_present_signer,
    starting_anew,
)
from gallery.services.notices import NoticeKind, record_notices, send_notices
from gallery.services.uploading import Terms, new_grant, new_invited


@dataclass
class Shared:
    """What an act of sharing did: whose grants are new, changed, or were so already.

    `invited`: what invitations carry of it since; `dropped`: what one carried until now.
    """

    added: list[Grant] = field(default_factory=list)
    changed: list[Grant] = field(default_factory=list)
    unchanged: list[Grant] = field(default_factory=list)
    invited: list[InvitedGrant] = field(default_factory=list)
    dropped: list[InvitedGrant] = field(default_factory=list)

    @property
    def touched(self) -> list[Grant]:
        return self.added + self.changed

    @property
    def waiting(self) -> list[Grant]:
        """Whose next keys have to be made before the image can be shared with them once more."""
        everybody = self.touched + self.unchanged
        return [grant for grant in everybody if grant.wrapped_key is None]


@dataclass(frozen=True)
class Recipients:
    """Whom an image is shared with, and which invitation hands it over to them."""

    people: list[Reader]
    invitations: Sequence[InvitationKey]
    instead_of: Invitation | None


@sensitive_variables()
def share_image(
    *,
    keyring: Keyring,
    image_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    invitations: Sequence[InvitationKey] = (),
    instead_of: Invitation | None = None,
) -> Shared:
    """Grant `recipients`, and the people of `invitations`, access to the owner's image; somebody
    who has it already gets the new terms. `instead_of` carries it no longer.

    Raises NotYours, NotAllowed, Altered, TooManyReaders, NoKeys, KeyChanged, ContactsRefused or
    HeadMoved; then nothing has changed.
    """
    to = Recipients(recipients, invitations, instead_of)
    return starting_anew(lambda: _share_once(keyring, image_id, to, terms))


@sensitive_variables()
def _share_once(keyring: Keyring, image_id: uuid.UUID, to: Recipients, terms: Terms) -> Shared:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    with anew_if_moved(access):
        head = opener.to_follow(SHARE, access.image)
        readers = readers_as_signed(access.image, opener)
        if readers.unsigned:
            raise Altered("entries")
        content_key = opener.content_key_for(access)
    contacts_of(keyring).require_unchanged(to.people)
    shared = Shared()
    for reader in to.people:
        _grant(reader, readers.signed, access.image, content_key, terms, shared)
    for key in to.invitations:
        _carry(key, readers.invited, access.image, content_key, terms, shared)
    listed = _listed(readers, shared, to.instead_of)
    if len(listed) > statements.MAX_ENTRIES:
        raise TooManyReaders
    if shared.touched or shared.invited or shared.dropped:
        _commit(keyring, access.image, head, listed, shared)
    return shared


def _listed(
    readers: Readers, shared: Shared, instead_of: Invitation | None
) -> list[Grant | Placement | InvitedGrant]:
    """Return everything that the next list says, and note in `shared` what it says no longer."""
    rows = [row for row in readers.invited if row not in shared.invited]
    shared.dropped = [row for row in rows if row.invitation == instead_of]
    kept = [row for row in rows if row.invitation != instead_of]
    return [*readers.signed, *shared.added, *readers.placed, *kept, *shared.invited]


@sensitive_variables()
def _grant(
    reader: Reader,
    kept: list[Grant],
    image: SealedImage,
    content_key: bytes,
    terms: Terms,
    shared: Shared,
) -> None:
    """Sort one person into `shared`, with what their grant is to become; nothing is stored."""
    grant = next((grant for grant in kept if grant.reader_id == reader.user.pk), None)
    if grant and grant.wrapped_key and _has_terms(grant, terms):
        shared.unchanged.append(grant)
        return
    key = wrap_for(reader, content_key, image_id=image.pk, lock=image.lock)
    if grant is None:
        shared.added.append(new_grant(image, reader.user, key, terms))
    elif key is None and _has_terms(grant, terms):
        shared.unchanged.append(grant)
    else:
        grant.wrapped_key = grant.wrapped_key or key
        set_entry(grant, rights=terms.rights, ends_at=terms.ends_at)
        shared.changed.append(grant)


@sensitive_variables()
def _carry(
    key: InvitationKey,
    kept: list[InvitedGrant],
    image: SealedImage,
    content_key: bytes,
    terms: Terms,
    shared: Shared,
) -> None:
    """Put into `shared` what an invitation is to carry, if it does not yet; nothing is stored."""
    row = next((row for row in kept if row.invitation == key.invitation), None)
    if row and row.wrapped is not None and _has_terms(row, terms):
        return
    if row is None:
        row = new_invited(key, image, content_key, terms)
    else:
        row.lock = image.lock
        row.wrapped = key.wrap(content_key, subject=image.pk, lock=row.lock)
        set_entry(row, rights=terms.rights, ends_at=terms.ends_at)
    shared.invited.append(row)


def _has_terms(grant: Listed, terms: Terms) -> bool:
    return (grant.rights, grant.ends_at) == (terms.rights, terms.ends_at)


def _commit(
    keyring: Keyring,
    image: SealedImage,
    head: Statement,
    listed: Sequence[Grant | Placement | InvitedGrant],
    shared: Shared,
) -> None:
    fields = share_fields(listed)
    share = sign_statement(SHARE, fields, keyring=keyring, subject=image.pk, previous=head)
    with image_act(Event.IMAGE_SHARED, image, signed=[share]), transaction.atomic():
        hold_invitations(row for row in listed if isinstance(row, InvitedGrant))
        hold(image, head)
        # Keys that are stored stay as they are now: what was read may be older than a rotation
        # that wrapped them again.
        keys = [grant.wrapped_key for grant in shared.touched]
        new_keys = [key for key in keys if key is not None and key._state.adding]
        readers = [grant.reader for grant in shared.touched]
        lock_keys((key.key_pair for key in new_keys), besides=[image.owner, *readers])
        require_present_signer(image, share)
        # A waiting reader may have been given a key meanwhile, which moves no head (resharing.py).
        waiting = [one.pk for one in shared.changed if one.wrapped_key in new_keys]
        if waiting and Grant.objects.filter(pk__in=waiting).exclude(wrapped_key=None).exists():
            raise HeadMoved
        end_rows(shared.dropped, Ended.REVOKED)
        end_expired(image)
        share.save(force_insert=True)
        for key in new_keys:
            key.save(force_insert=True)
        for row in (*shared.added, *shared.invited):
            row.save()
        for grant in shared.changed:
            # A key that is not new may have been exchanged meanwhile: its column stays as it is.
            new = ["wrapped_key"] if grant.wrapped_key in new_keys else []
            grant.save(update_fields=["rights", "ends_at", "entry", "salt", *new])
        sent = [
            send_notices(NoticeKind.SHARED, shared.added),
            send_notices(NoticeKind.CHANGED, shared.changed),
        ]
    truncate_write_ahead_log()  # of whom it ended by date
    record_notices(sent)
