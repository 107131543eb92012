"""Sharing an album: one wrapping and one statement for each new member, however many images."""

import uuid
from collections.abc import Sequence
from functools import partial

from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.pins import contacts_of
from accounts.keys.recipients import Reader
from audit.events import Event
from gallery.errors import Altered
from gallery.invitation_keys import InvitationKey
from gallery.models import Invitation, Member
from gallery.sealing import wrap_for
from gallery.services.acts import image_act, starting_anew
from gallery.services.albums.acts import new_member, own_album
from gallery.services.notices import record_notices
from gallery.services.sharing import (
    Recipients,
    Shared,
    carry,
    give,
    require_listable,
    still_invited,
    store_shared,
)
from gallery.services.uploading import Terms


@sensitive_variables()
def share_album(
    *,
    keyring: Keyring,
    album_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    invitations: Sequence[InvitationKey] = (),
    instead_of: Invitation | None = None,
) -> Shared[Member]:
    """Make `recipients`, and the people of `invitations`, members of the owner's album; who is one
    already gets the new terms. `instead_of` carries it no longer.

    Raises NotYours, NotAllowed, AccessEnded, Altered, TooManyReaders, NoKeys, KeyChanged,
    ContactsRefused or HeadMoved; then nothing has changed.
    """
    to = Recipients(recipients, invitations, instead_of)
    return starting_anew(lambda: _share_once(keyring, album_id, to, terms))


@sensitive_variables()
def _share_once(
    keyring: Keyring, album_id: uuid.UUID, to: Recipients, terms: Terms
) -> Shared[Member]:
    album = own_album(keyring, album_id)
    if album.members.unsigned:
        raise Altered("entries")
    contacts_of(keyring).require_unchanged(to.people)
    circle, shared = album.circle, Shared[Member]()
    wrap = partial(wrap_for, content_key=album.key, image_id=circle.pk, lock=circle.epoch)
    new = partial(new_member, circle)
    for reader in to.people:
        give(reader, album.members.signed, terms, shared, wrap=wrap, new=new)
    for invitation in to.invitations:
        carry(invitation, album.members.invited, circle, album.key, terms, shared)
    invited = still_invited(album.members.invited, shared, to.instead_of)
    listed = [*album.members.signed, *shared.added, *invited]
    require_listable(listed)
    if shared.touched or shared.invited or shared.dropped:
        signed = album.signed_next(listed)
        with image_act(Event.ALBUM_SHARED, circle, signed=[signed]):
            sent = store_shared(circle, album.head, signed, shared, listed=listed)
        truncate_write_ahead_log()  # of whom it ended by date
        record_notices(sent)
    return shared
