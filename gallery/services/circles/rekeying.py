"""The next key of an album or a team: without one member, or after a member's time was over.

The new key is wrapped to those who remain, and the content key of every image, and the key of every
album that a team is a member of, is wrapped under it. A former member had those keys: each image is
due for a new lock, each such album for its next key, at its owner's next page.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys
from accounts.keys.pins import ContactsRefused, contacts_of
from accounts.keys.recipients import hold_people
from accounts.models import User, WrappedKey
from cryptocore import circles
from cryptocore.errors import CryptoError
from gallery.access import has_ended
from gallery.beside import (
    Held,
    hold_circles,
    hold_invitations,
    key_in,
    wrap_beside,
    wrap_for_circle,
)
from gallery.circle_events import events_of
from gallery.errors import HeadMoved, NotARecipient, WouldWait
from gallery.members import everybody_signed_is_a_member, only_given_through
from gallery.models import (
    Circle,
    Ended,
    Grant,
    Invitation,
    InvitedGrant,
    Member,
    Placement,
    Row,
    Statement,
)
from gallery.sealing import set_entry
from gallery.services.acts import (
    altered_if_refused,
    end_expired,
    end_rows,
    hold,
    owners_act,
    record_unsigned,
    starting_anew,
)
from gallery.services.circles.acts import (
    OwnCircle,
    own_circle,
    put_off_under_key_of,
    seal_details,
    sign_membership,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.revoking import Holder, wrap_anew

AT_ONCE = 500  # rows in one statement of the database


@dataclass
class NextEpoch:
    """An album or a team under its next key, made but not stored yet. `held`: what has its key
    under it, under that key; `read`: the same rows as they were. `lost`: what people had through a
    team that is out."""

    circle: Circle
    membership: Statement
    remaining: list[Member]
    invited: list[InvitedGrant]
    unsigned: list[Row]
    held: list[Held] = field(repr=False)
    read: set[tuple[object, ...]] = field(repr=False)
    lost: list[Grant | Member]


@sensitive_variables()
def revoke_member(
    *, keyring: Keyring, circle_id: uuid.UUID, recipient: User, kind: str = Circle.Kind.ALBUM
) -> Member:
    """Take somebody out of the owner's album, and their own images with them; return the ended
    membership.

    Raises NotARecipient for somebody who has no row; NotYours, NotAllowed, AccessEnded, Altered,
    AuditUnavailable or HeadMoved: then nothing has changed.
    """
    if recipient == keyring.user:
        own_circle(keyring, circle_id, kind)
        raise NotARecipient
    holder = ("person", recipient.pk)
    return starting_anew(lambda: _revoke_once(keyring, circle_id, kind, holder))


@sensitive_variables()
def revoke_team(*, keyring: Keyring, album_id: uuid.UUID, team_id: uuid.UUID) -> Member:
    """Take a team out of the owner's album, as revoke_member() takes out a person. Images of their
    own that its members put there stay until the owner takes them out."""
    holder = ("team", team_id)
    return starting_anew(lambda: _revoke_once(keyring, album_id, Circle.Kind.ALBUM, holder))


@sensitive_variables()
def _revoke_once(
    keyring: Keyring, circle_id: uuid.UUID, kind: str | None, holder: Holder
) -> Member:
    own = own_circle(keyring, circle_id, kind)
    by_holder = {"person": "reader", "team": "team"}[holder[0]]
    rows = own.circle.members.filter(**{by_holder: holder[1]}).order_by("granted_at")
    live = list(rows.filter(ended_at=None))
    if live or not everybody_signed_is_a_member(own.circle, own.opener):
        _commit(own, _next_epoch(own, without=holder), live)
    if ended := rows.last():
        return ended
    raise NotARecipient


@sensitive_variables()
def end_invited_member(*, keyring: Keyring, circle_id: uuid.UUID, invitation: Invitation) -> None:
    """End what an invitation carries of the owner's album; of somebody who has used it meanwhile,
    their membership. Raises as revoke_member() does."""
    starting_anew(lambda: _end_invited_once(keyring, circle_id, invitation))


@sensitive_variables()
def _end_invited_once(keyring: Keyring, circle_id: uuid.UUID, invitation: Invitation) -> None:
    own, person = own_circle(keyring, circle_id, kind=None), invitation.person
    rows = own.circle.invited.filter(invitation=invitation, ended_at=None)
    live = list(rows.select_related("invitation"))
    if live:
        _commit(own, _next_epoch(own, without=("person", person)), live)
    elif user := User.objects.filter(pk=person).first():
        _revoke_once(keyring, circle_id, None, ("person", user.pk))
    else:
        raise NotARecipient


@sensitive_variables()
def rekey(*, keyring: Keyring, circle_id: uuid.UUID, keeping_everybody: bool = False) -> None:
    """Give the owner's album or team its next key and take nobody out. Raises as revoke_member()
    does, and WouldWait where the owner did not ask for it (`keeping_everybody`) and a member would
    lose their key; then nothing has changed."""
    starting_anew(lambda: _rekey_once(keyring, circle_id, keeping_everybody))


@sensitive_variables()
def _rekey_once(keyring: Keyring, circle_id: uuid.UUID, keeping_everybody: bool) -> None:
    own = own_circle(keyring, circle_id, kind=None)
    following = _next_epoch(own)
    without_key = [member.pk for member in following.remaining if member.wrapped_key is None]
    have_one = Member.objects.filter(pk__in=without_key).exclude(wrapped_key=None)
    if keeping_everybody and have_one.exists():
        raise WouldWait
    _commit(own, following, [])


@sensitive_variables()
def _next_epoch(own: OwnCircle, *, without: Holder | None = None) -> NextEpoch:
    """`without` is a holder and not a row: what a row says may change between two looks at it."""
    key, circle = circles.new_circle_key(), copy(own.circle)
    circle.epoch += 1
    seal_details(circle, key, **own.details)
    remaining = [member for member in own.members.signed if member.holder != without]
    _wrap_for_members(own, remaining, key, circle)
    still_invited = [row for row in own.members.invited if row.holder != without]
    for invited in still_invited:
        set_entry(invited, rights=invited.rights, ends_at=invited.ends_at)
        wrap_beside(invited, key, lock=circle.epoch, opener=own.opener)
    kept = [row for row in _held_under(own.circle) if ("person", row.list_of.owner_id) != without]
    read = {_as_read(row) for row in kept}
    for row in kept:
        _wrap_under_next(row, own.key, key, epoch=circle.epoch)
    listed = [*remaining, *still_invited]
    out = [member for member in own.members.signed if member.holder == without]
    return NextEpoch(
        circle=circle,
        membership=sign_membership(circle, key, listed, keyring=own.keyring, previous=own.head),
        remaining=remaining,
        invited=still_invited,
        unsigned=[row for row in own.members.unsigned if row.holder != without],
        held=kept,
        read=read,
        lost=only_given_through(out, remaining, own.opener),
    )


@sensitive_variables()
def _wrap_for_members(own: OwnCircle, members: list[Member], key: bytes, following: Circle) -> None:
    contacts = None  # if the list is refused: that does not keep an owner from taking access back
    with suppress(ContactsRefused):
        contacts = contacts_of(own.keyring)
    for member in members:
        set_entry(member, rights=member.rights, ends_at=member.ends_at)
        if member.team_id:
            member.circle = following
            wrap_beside(member, key, lock=following.epoch, opener=own.opener)
            continue
        member.wrapped_key = wrap_anew(member, own.keyring, contacts, key, following.epoch)


def _held_under(circle: Circle) -> list[Held]:
    """Return what has its key under this circle's: images in it, albums it is a member of."""
    return [
        *circle.placements.filter(ended_at=None).select_related("image"),
        *circle.teams_albums.filter(ended_at=None).select_related("circle"),
    ]


@sensitive_variables()
def _wrap_under_next(row: Held, key: bytes, next_key: bytes, *, epoch: int) -> None:
    """What the key of now does not open, or whose time is over, waits for its owner."""
    held = None
    if row.wrapped and not has_ended(row):
        with suppress(CryptoError, ValueError):  # a column may hold anything
            held = key_in(row, key)
    row.wrapped = None
    if held is not None:
        wrap_for_circle(row, held, next_key, epoch=epoch)
    elif isinstance(row, Placement):
        row.epoch = epoch


def _as_read(row: Held) -> tuple[object, ...]:
    place = (row.image_id, row.lock, row.epoch) if isinstance(row, Placement) else row.team_epoch
    return row.pk, place, bytes(row.wrapped or b"")


def _commit(own: OwnCircle, following: NextEpoch, ended: Sequence[Member | InvitedGrant]) -> None:
    kind, holder = ended[0].holder if ended else ("", None)
    facts = {"reader" if kind == "person" else kind: str(holder)} if ended else {}
    events = events_of(own.circle)
    event = events.revoked if ended else events.rekeyed
    signed = [following.membership]
    with owners_act(event, own.circle, signed=signed, **facts):
        with altered_if_refused(), transaction.atomic():
            sent = _exchange(own, following, ended)
        truncate_write_ahead_log()
    record_unsigned(own.circle, following.unsigned)
    record_notices([sent])


def _exchange(own: OwnCircle, following: NextEpoch, ended: Sequence[Member | InvitedGrant]) -> Sent:
    circle, former = following.circle, [row for row in ended if isinstance(row, Member)]
    unused = [row for row in ended if isinstance(row, InvitedGrant) and not row.is_over]
    hold_invitations([*following.invited, *unused])
    hold_circles(following.remaining)
    hold(own.circle, own.head)
    _exchange_held(following, {member.reader_id for member in former if member.reader_id})
    keys = [member.wrapped_key for member in following.remaining if member.wrapped_key]
    lost = [*former[:1], *following.lost]  # a row may have been copied
    people = [row.reader for row in lost if row.reader]
    try:
        hold_people(people, pairs=(key.key_pair for key in keys))
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
    return send_notices(NoticeKind.REVOKED, lost)


def _exchange_held(following: NextEpoch, gone: set[uuid.UUID]) -> None:
    """Every image and album is due for a new lock or key, those whose owner is `gone` are out of
    the circle. Raises HeadMoved if one was placed, or got a new one, since they were read."""
    live = _held_under(following.circle)
    out = [row for row in live if row.list_of.owner_id in gone]
    if not {_as_read(row) for row in live if row not in out} <= following.read:
        raise HeadMoved
    put_off_under_key_of(following.circle)
    end_rows(out, Ended.REVOKED)
    # Of what was ended meanwhile nothing is left.
    _store_wrapped([row for row in following.held if isinstance(row, Placement)])
    rows = Placement.objects.filter(circle=following.circle, ended_at=None)
    rows.update(epoch=following.circle.epoch)
    albums = [row for row in following.held if isinstance(row, Member)]
    members = Member.objects.filter(ended_at=None)
    members.bulk_update(albums, ["team_epoch", "wrapped"], batch_size=AT_ONCE)


def _store_wrapped(placed: list[Placement]) -> None:
    """Write the new wrapped key of each of these rows that has not ended. One prepared statement
    for ten thousand rows; bulk_update() composes one for each 500, which takes ten times as
    long."""
    write = "UPDATE gallery_placement SET wrapped = %s WHERE id = %s AND ended_at IS NULL"
    id_of = Placement._meta.pk.get_db_prep_value
    with connection.cursor() as cursor:
        cursor.executemany(write, [(row.wrapped, id_of(row.pk, connection)) for row in placed])
