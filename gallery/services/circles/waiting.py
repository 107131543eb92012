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
from accounts.keys.recipients import ReaderKey, hold_people
from accounts.models import User, WrappedKey
from audit.events import Event
from gallery.beside import hold_circles, wrap_beside
from gallery.circle_events import events_of
from gallery.errors import Altered, HeadMoved
from gallery.models import Member
from gallery.sealing import wrap_to
from gallery.services.acts import hold, owners_act
from gallery.services.circles.acts import own_circle
from gallery.services.notices import NoticeKind, record_notices, send_notices


def waiting_members(owner: User) -> QuerySet[Member]:
    """Return the members of this owner's albums and teams whose current keys open nothing."""
    present = Q(wrapped_key__key_pair__master_key_version=F("reader__master_key_version"))
    live = {"circle__owner": owner, "circle__deleted_at": None, "ended_at": None}
    return (
        Member.objects.filter(**live, reader__is_active=True)
        .exclude(ends_at__lte=timezone.now())
        .exclude(reader=owner)
        .filter(Q(wrapped_key=None) | ~present)
        .order_by("granted_at", "pk")
    )


@sensitive_variables()
def share_circle_again(
    keyring: Keyring, member_id: uuid.UUID, circle_id: uuid.UUID, key: ReaderKey
) -> bool:
    """Wrap the album's key to a member's key of now; return False if another act did it.

    Raises Altered, Waiting, NoKeys or HeadMoved.
    """
    own = own_circle(keyring, circle_id, kind=None)
    # Of this very album and reader: the row may have been altered since it was listed.
    this_one = {"pk": member_id, "circle": circle_id, "reader": key.pair.user_id}
    member = waiting_members(keyring.user).filter(**this_one).first()
    if member is None:
        return False
    if not own.opener.is_signed(member):
        raise Altered("entries")
    circle, pair = own.circle, key.pair
    wrapped = wrap_to(key, own.key, subject=circle.pk, lock=circle.epoch)
    reader, fingerprint = str(member.reader_id), pair.fingerprint
    with (
        owners_act(events_of(circle).shared, circle, reader=reader, key=fingerprint),
        transaction.atomic(),
    ):
        hold(circle, own.head)
        if not Member.objects.filter(pk=member.pk, wrapped_key=member.wrapped_key_id).exists():
            raise HeadMoved  # the same press twice: this moves no head
        hold_people(pairs=[pair])
        WrappedKey.objects.filter(member=member).delete()
        wrapped.save(force_insert=True)
        Member.objects.filter(pk=member.pk).update(wrapped_key=wrapped)
        sent = send_notices(NoticeKind.SHARED, [member])
    record_notices([sent])
    return True


# ---- teams that wait -------------------------------------------------------------------------


def waiting_teams(keyring: Keyring) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return the rows of teams, each with its album, that wait for this owner, who has the team's
    key: one query, asked at each page. A team waits after a new key of the album for which the
    team's was not there."""
    rows = Member.objects.filter(
        circle__owner=keyring.user,
        circle__deleted_at=None,
        team__deleted_at=None,
        team__members__reader=keyring.user,
        team__members__ended_at=None,
        team__members__wrapped_key__key_pair__master_key_version=keyring.version,
        ended_at=None,
        wrapped=None,
    )
    rows = rows.exclude(ends_at__lte=timezone.now()).order_by("?")
    return list(rows.values_list("pk", "circle"))


@sensitive_variables()
def share_with_team_again(*, keyring: Keyring, member_id: uuid.UUID, album_id: uuid.UUID) -> None:
    """Wrap the album's key under the team's. The list names the team already, so nothing is signed.

    Raises Altered, Waiting or HeadMoved.
    """
    own = own_circle(keyring, album_id)
    waiting = [row for row in own.members.signed if row.pk == member_id and row.wrapped is None]
    for row in waiting:
        wrap_beside(row, own.key, lock=own.circle.epoch, opener=own.opener)
        if row.wrapped is None:
            continue
        with (
            owners_act(Event.ALBUM_SHARED, own.circle, team=str(row.team_id)),
            transaction.atomic(),
        ):
            hold_circles([row])
            hold(own.circle, own.head)
            rows = Member.objects.filter(pk=row.pk, wrapped=None, ended_at=None)
            rows.update(wrapped=row.wrapped, team_epoch=row.team_epoch)
