"""What taking over an image and taking over an album or a team have in common.

A successor signs the statement that follows the former owner's, over the same key: whoever was on
the former owner's list stays on it. The statements of the former owner are kept.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from django.db import transaction
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
from gallery.circle_keys import CircleOpener
from gallery.errors import (
    AccessEnded,
    Altered,
    GalleryError,
    HeadMoved,
    NotHandedOver,
    NotYours,
    OwnerActive,
    OwnKeyRefused,
    TakenBefore,
    TakenByYou,
)
from gallery.models import Circle, Ended, Grant, Member, Row, Statement, Subject
from gallery.sealing import wrap_to
from gallery.services.acts import (
    end_expired,
    end_rows,
    hold,
    owners_act,
    record_unsigned,
    require_present_signer,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.successors import SUCCESSORS, circle_of


@dataclass
class Succession:
    """An image, an album or a team with its new owner's statements and own row, made but not stored
    yet. `ending`: the rows that end with it, the former owner's first; `told`: those whose people
    get a notice."""

    subject: Subject
    former: User
    named_in: Circle
    named_by: Statement
    head: Statement
    statements: list[Statement]
    own: Grant | Member
    key: WrappedKey = field(repr=False)
    told: Sequence[Grant | Member]
    ending: list[Row]
    unsigned: list[Row]


@contextmanager
def anew_if_taken(subject: Subject) -> Iterator[None]:
    """Let taking it over be tried again if it looks altered because another successor came between:
    whose it was read to be then signed nothing of it that is the newest."""
    read = subject.owner_id
    try:
        yield
    except Altered:
        if type(subject)._base_manager.filter(pk=subject.pk, owner=read).exists():
            raise
        raise HeadMoved from None


def places_to_take_over(subject: Subject, opener: CircleOpener, *, reader: User) -> list[Member]:
    """Return the reader's places among the successors of this one's owner, who is disabled: those
    for everything, and those for an album that it is, or that it is in.

    Raises as membership_after(), and for successors of its former owner TakenBefore, or TakenByYou
    for who is its owner by now.
    """
    if places := _places(subject, subject.owner, opener, reader=reader):
        return places
    former = opener.former_owner(subject)
    if former is None:
        raise NotYours
    if subject.owner_id == reader.pk:
        raise TakenByYou
    if _might(subject, User.objects.get(pk=former), opener, reader=reader):
        raise TakenBefore(subject.owner)
    raise NotYours


def _might(subject: Subject, former: User, opener: CircleOpener, *, reader: User) -> bool:
    with suppress(GalleryError):
        return bool(_places(subject, former, opener, reader=reader))
    return False


def _places(subject: Subject, owner: User, opener: CircleOpener, *, reader: User) -> list[Member]:
    found = []
    for album_id in (None, *_albums_of(subject, reader)):
        with suppress(NotYours):
            found.append(membership_after(owner, opener, reader=reader, album_id=album_id))
    return found


def _albums_of(subject: Subject, reader: User) -> list[uuid.UUID]:
    """Return by the successors of which albums this may be taken over: an album by its own, an
    image by those of an album in which it is, once that is theirs. As rows say; the key is found
    by what was signed."""
    if isinstance(subject, Circle):
        return [subject.pk]
    placed = subject.placements.filter(ended_at=None, circle__owner=reader)
    return list(placed.values_list("circle", flat=True))


def membership_after(
    owner: User, opener: CircleOpener, *, reader: User, album_id: uuid.UUID | None = None
) -> Member:
    """Return the reader's place among the successors of this owner, who is disabled: both as the
    trail has it, whatever rows say. `album_id`: among those for this album alone.

    Raises NotYours for everybody else, Altered, OtherSigner, or OwnerActive.
    """
    circle = circle_of(owner, album_id)
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


@sensitive_variables()
def handed_over(
    places: Iterable[Member], key_by: Callable[[Member], bytes]
) -> tuple[Member, bytes]:
    """Return the first of these places by which there is a key, and the key. Raises NotHandedOver,
    and as `key_by` does."""
    for place in places:
        with suppress(NotHandedOver):
            return place, key_by(place)
    raise NotHandedOver


@sensitive_variables()
def own_key(keyring: Keyring, key: bytes, subject: Subject) -> WrappedKey:
    """Return the key wrapped to its new owner. Raises OwnKeyRefused."""
    own: ReaderKey | None = reader_of(keyring.user).key
    if own is None:
        raise OwnKeyRefused
    keyring.prove(own.pair)  # certified is not enough when you wrap to yourself
    wrapped = wrap_to(own, key, subject=subject.pk, lock=subject.lock)
    wrapped.quick_key = keyring.wrap_quick_key(key, subject=subject.pk, lock=subject.lock)
    return wrapped


def carry_out(event: Event, taken: Succession, store: Callable[[], None], **facts: Fact) -> None:
    """Record it, and store all of it in one transaction. `store` saves the row of what is taken.

    Raises OwnerActive, AuditUnavailable or HeadMoved; then nothing has changed.
    """
    facts |= {"former": str(taken.former.pk), "successors": str(taken.named_in.pk)}
    with owners_act(event, taken.subject, signed=taken.statements, **facts):
        with transaction.atomic():
            sent = _exchange(taken)
            store()
        truncate_write_ahead_log()
    record_unsigned(taken.subject, taken.unsigned)
    record_notices([sent])


def _exchange(taken: Succession) -> Sent:
    subject, own = taken.subject, taken.own
    hold(taken.named_in, taken.named_by)
    hold(subject, taken.head)
    readers = [row.reader for row in taken.told if row.reader]
    try:
        hold_people([taken.former, subject.owner, *readers], pairs=[taken.key.key_pair])
    except NoKeys:
        raise HeadMoved from None
    require_present_signer(subject.owner, taken.statements[0])
    # Held now: staff who enable them meanwhile come before this, or after it.
    if User.objects.get(pk=taken.former.pk).is_active:
        raise OwnerActive(taken.former)
    end_rows(taken.ending, Ended.TAKEN_OVER)
    end_expired(subject)
    WrappedKey.objects.filter(**{str(own._meta.model_name): own}).delete()
    taken.key.save(force_insert=True)
    own.wrapped_key = taken.key
    own.save()
    Statement.objects.bulk_create(taken.statements)
    # The former owner, too: of each access to what is another's its person has had a notice.
    given = [row for row in taken.ending if isinstance(row, Grant | Member)]
    theirs = [row for row in given if row.reader_id == taken.former.pk]
    return send_notices(NoticeKind.TAKEN_OVER, [*theirs[:1], *taken.told])
