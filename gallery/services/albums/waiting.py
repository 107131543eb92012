"""Members who wait: the album's list names them, but its key is wrapped to keys they have lost.

As with images (gallery/services/resharing.py): the list names people, not keys, so nothing is
signed.
"""

import uuid

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.recipients import ReaderKey, lock_keys
from accounts.models import User, WrappedKey
from audit.events import Event
from gallery.errors import Altered, HeadMoved
from gallery.models import Circle, Member
from gallery.sealing import wrap_to
from gallery.services.acts import hold, image_act
from gallery.services.albums.acts import own_album
from gallery.services.notices import NoticeKind, record_notices, send_notices


def waiting_members(owner: User) -> QuerySet[Member]:
    """Return the members of this owner's albums whose current keys open nothing."""
    present = Q(wrapped_key__key_pair__master_key_version=F("reader__master_key_version"))
    live = {"circle__owner": owner, "circle__deleted_at": None, "ended_at": None}
    return (
        Member.objects.filter(**live, circle__kind=Circle.Kind.ALBUM, reader__is_active=True)
        .exclude(ends_at__lte=timezone.now())
        .exclude(reader=owner)
        .filter(Q(wrapped_key=None) | ~present)
        .order_by("granted_at", "pk")
    )


@sensitive_variables()
def share_album_again(
    keyring: Keyring, member_id: uuid.UUID, album_id: uuid.UUID, key: ReaderKey
) -> bool:
    """Wrap the album's key to a member's key of now; return False if another act did it.

    Raises Altered, Waiting, NoKeys or HeadMoved.
    """
    album = own_album(keyring, album_id)
    # Of this very album and reader: the row may have been altered since it was listed.
    this_one = {"pk": member_id, "circle": album_id, "reader": key.pair.user_id}
    member = waiting_members(keyring.user).filter(**this_one).first()
    if member is None:
        return False
    if not album.opener.is_signed(member):
        raise Altered("entries")
    circle, pair = album.circle, key.pair
    wrapped = wrap_to(key, album.key, image_id=circle.pk, lock=circle.epoch)
    reader, fingerprint = str(member.reader_id), pair.fingerprint
    with (
        image_act(Event.ALBUM_SHARED, circle, reader=reader, key=fingerprint),
        transaction.atomic(),
    ):
        hold(circle, album.head)
        if not Member.objects.filter(pk=member.pk, wrapped_key=member.wrapped_key_id).exists():
            raise HeadMoved  # the same press twice: this moves no head
        lock_keys([pair])
        WrappedKey.objects.filter(member=member).delete()
        wrapped.save(force_insert=True)
        Member.objects.filter(pk=member.pk).update(wrapped_key=wrapped)
        sent = send_notices(NoticeKind.SHARED, [member])
    record_notices([sent])
    return True
