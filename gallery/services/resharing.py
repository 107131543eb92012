"""Readers who wait: they are on the owner's list, but the content key is wrapped to keys they have
lost.

After a new start somebody's earlier pairs open nothing, until they find the earlier password or
code. The owner's signed list still names them: it lists people, not keys. So sharing again wraps
the content key again, once the owner agreed to the new fingerprint, and signs nothing.
"""

import uuid
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.certificates import NoKeys, is_endorsed
from accounts.keys.pins import settle
from accounts.keys.recipients import KeyFacts, Reader, ReaderKey, hold_people, recipient_of
from accounts.models import KeyPair, User, WrappedKey
from audit.events import AuditUnavailable, Event
from gallery.errors import Altered, HeadMoved, Waiting
from gallery.models import Grant, Member
from gallery.opening import Opener
from gallery.sealing import SHARE, wrap_to
from gallery.services.acts import (
    anew_if_moved,
    hold,
    owners_access,
    owners_act,
    starting_anew,
)
from gallery.services.circles.waiting import share_circle_again, waiting_members
from gallery.services.notices import NoticeKind, record_notices, send_notices

AT_ONCE = 200  # images per request: each costs a signature check, a wrapping and two entries


class ImageOutcome(Enum):
    """What became of one image, or album."""

    SHARED = auto()
    CLOSED = auto()
    NOT_WAITING = auto()  # another act came before


@dataclass(frozen=True)
class WaitingReader:
    """Somebody who waits for an owner. `signing_pair`: the key to compare, if they have one."""

    person: User
    images: int
    albums: int
    signing_pair: KeyPair | None

    @property
    def is_endorsed(self) -> bool:
        return self.signing_pair is not None and is_endorsed(self.signing_pair)


@dataclass(frozen=True)
class SharedAgain:
    """How many images and albums were shared again, how many are left, and how many nobody can
    open now."""

    shared: int
    left: int
    closed: int


def waiting_grants(owner: User) -> QuerySet[Grant]:
    """Return the grants of this owner's images whose readers' current keys open nothing."""
    present = Q(wrapped_key__key_pair__master_key_version=F("reader__master_key_version"))
    return (
        Grant.objects.filter(owner=owner, image__deleted_at=None, ended_at=None)
        .exclude(ends_at__lte=timezone.now())
        .filter(reader__is_active=True)
        .exclude(reader=owner)
        .filter(Q(wrapped_key=None) | ~present)
        .order_by("granted_at", "pk")
    )


def somebody_waits_for(owner: User) -> bool:
    """Whether anybody does who has new keys by now. Where nobody waits for anybody, as most of the
    time, an owner's hundred thousand images are not looked through for it."""
    closed = KeyPair.objects.filter(
        purpose=KeyPair.Purpose.ENCRYPTION,
        master_key_version__lt=F("user__master_key_version"),
    ).exclude(state=KeyPair.State.DESTROYED)
    without_key = {"wrapped_key": None, "ended_at": None}
    somewhere = (
        Grant.objects.filter(**without_key).exists()
        or Member.objects.filter(**without_key).exists()
        or closed.exists()
    )
    return somewhere and any(one.signing_pair for one in readers_waiting_for(owner))


def readers_waiting_for(owner: User) -> list[WaitingReader]:
    """Return who waits for this owner, by name; also those who cannot receive yet."""
    grants, members = waiting_grants(owner).order_by(), waiting_members(owner).order_by()
    images = dict(grants.values_list("reader").annotate(Count("pk")))
    albums = dict(members.values_list("reader").annotate(Count("pk")))
    people = User.objects.filter(pk__in={*images, *albums}).order_by("username")
    facts = KeyFacts({*images, *albums})
    return [
        WaitingReader(one, images.get(one.pk, 0), albums.get(one.pk, 0), _signing_pair(one, facts))
        for one in people
    ]


def _signing_pair(person: User, facts: KeyFacts) -> KeyPair | None:
    try:
        key = recipient_of(person, facts).key
    except (NoKeys, AuditUnavailable):  # lists go on without the trail, and sharing does not
        return None
    return key.identity.signing if key else None


@sensitive_variables()
def share_again(*, keyring: Keyring, person: User) -> SharedAgain:
    """Wrap the keys of images and albums that the owner shares with a reader to their key of now.

    Images that the owner cannot open either, or whose list is not as it was signed, are left as
    they are and counted. Asking for it accepts the reader's new key, if another was compared.
    Raises NoKeys if the reader cannot receive yet, KeyChanged if the reader's words did not match
    when they were compared, ContactsRefused.
    """
    key = recipient_of(person).key
    if key is None:
        raise NoKeys
    reader = Reader(person, key)
    settle(keyring=keyring, readers=[reader], accepted=[person.username])
    albums = waiting_members(keyring.user).filter(reader=person).values_list("pk", "circle")
    images = waiting_grants(keyring.user).filter(reader=person).values_list("pk", "image")
    waiting = [partial(_share_circle_again, keyring, *one, key) for one in albums]
    waiting += [partial(_share_again_once, keyring, *one, key) for one in images]
    outcomes: Counter[ImageOutcome] = Counter()
    for share in waiting:
        if outcomes[ImageOutcome.SHARED] == AT_ONCE:
            break
        try:
            outcomes[starting_anew(share)] += 1
        except (Altered, Waiting):
            outcomes[ImageOutcome.CLOSED] += 1
        except NoKeys:
            if not outcomes[ImageOutcome.SHARED]:
                raise
            break  # their keys were stolen, or replaced, meanwhile: the other images wait on
    truncate_write_ahead_log()
    return SharedAgain(
        outcomes[ImageOutcome.SHARED],
        len(waiting) - outcomes.total(),
        outcomes[ImageOutcome.CLOSED],
    )


@sensitive_variables()
def _share_circle_again(
    keyring: Keyring, member_id: uuid.UUID, circle_id: uuid.UUID, key: ReaderKey
) -> ImageOutcome:
    is_shared = share_circle_again(keyring, member_id, circle_id, key)
    return ImageOutcome.SHARED if is_shared else ImageOutcome.NOT_WAITING


@sensitive_variables()
def _share_again_once(
    keyring: Keyring, grant_id: uuid.UUID, image_id: uuid.UUID, key: ReaderKey
) -> ImageOutcome:
    """Read the head before the row: an act that comes between moves the head."""
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    with anew_if_moved(access):
        head = opener.newest(SHARE, access.image)
        # Of this very image and reader: what is signed for another must not pass for it, if the
        # row was altered since it was listed.
        this_one = {"pk": grant_id, "image": image_id, "reader": key.pair.user_id}
        grant = waiting_grants(keyring.user).filter(**this_one).first()
        if grant is None:
            return ImageOutcome.NOT_WAITING
        if not opener.is_signed(grant):
            raise Altered("entries")
        content_key = opener.content_key_for(access)
    image, pair = access.image, key.pair
    wrapped = wrap_to(key, content_key, subject=image.pk, lock=image.lock)
    reader, fingerprint = str(grant.reader_id), pair.fingerprint
    with (
        owners_act(Event.IMAGE_SHARED, image, reader=reader, key=fingerprint),
        transaction.atomic(),
    ):
        hold(image, head)
        if not Grant.objects.filter(pk=grant.pk, wrapped_key=grant.wrapped_key_id).exists():
            raise HeadMoved  # the same press twice: this moves no head
        hold_people(pairs=[pair])
        WrappedKey.objects.filter(grant=grant).delete()
        wrapped.save(force_insert=True)
        Grant.objects.filter(pk=grant.pk).update(wrapped_key=wrapped)
        sent = send_notices(NoticeKind.SHARED, [grant])
    record_notices([sent])
    return ImageOutcome.SHARED
