"""After a theft of somebody's keys: which images and albums a thief may open, and giving them new
keys.

Somebody who has a stolen private key and a copy of the database can open what was wrapped to it
then. A new lock ends that for what is stored from now on; it cannot call back what was read.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Max, Q
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import KeyPair, User
from cryptocore import statements
from cryptocore.errors import CryptoError
from gallery.errors import Altered, Waiting
from gallery.models import Grant, Member, Statement
from gallery.sealing import MANIFEST, MEMBERSHIP
from gallery.services.circles.rekeying import rekey
from gallery.services.revoking import relock

AT_ONCE = 10  # images per request: each is opened, encrypted and stored again


@dataclass(frozen=True)
class StolenReader:
    """Somebody whose keys were stolen, and the owner's images and albums whose keys are older than
    that. What is in an album gets its new lock after the album got its new key."""

    person: User
    stolen_at: datetime
    images: frozenset[uuid.UUID]
    albums: frozenset[uuid.UUID]


@dataclass(frozen=True)
class Relocked:
    """How many images and albums have new keys, are left, and do not open or verify."""

    relocked: int
    left: int
    closed: int


def stolen_readers_of(owner: User) -> list[StolenReader]:
    """Return whose stolen keys, the owner's own too, open images of this owner still."""
    keys = KeyPair.objects.filter(purpose=KeyPair.Purpose.ENCRYPTION, compromised_at__isnull=False)
    if not keys.exists():  # then an owner's hundred thousand images are not looked through
        return []
    grants = Grant.objects.filter(owner=owner, image__deleted_at=None, ended_at=None)
    members = Member.objects.filter(circle__owner=owner, circle__deleted_at=None, ended_at=None)
    theirs = keys.filter(Q(user__in=grants.values("reader")) | Q(user__in=members.values("reader")))
    stolen = dict(theirs.values_list("user").annotate(Max("compromised_at")))
    if not stolen:
        return []
    images = list(grants.filter(reader__in=stolen).values_list("reader", "image"))
    albums = list(members.filter(reader__in=stolen).values_list("reader", "circle"))
    keyed_at = _keyed_at(MANIFEST, "lock", {image for _, image in images})
    keyed_at |= _keyed_at(MEMBERSHIP, "epoch", {one for _, one in albums})
    readers = []
    for person in User.objects.filter(pk__in=stolen).order_by("username"):
        since = stolen[person.pk]
        before_images, before_albums = (
            frozenset(
                one
                for reader, one in pairs
                if reader == person.pk and keyed_at.get(one, since) <= since
            )
            for pairs in (images, albums)
        )
        if before_images or before_albums:
            readers.append(StolenReader(person, since, before_images, before_albums))
    return readers


def _keyed_at(kind: str, number: str, subjects: set[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Return when each image or album got its current key, as the first statement of its lock or
    epoch says: later ones, of an edit or a take-over, made no new key."""
    times: dict[uuid.UUID, tuple[int, datetime]] = {}
    rows = Statement.objects.filter(kind=kind, subject__in=subjects).order_by("sequence")
    for row in rows.iterator():
        try:
            body = statements.parse(kind, bytes(row.body))
        except CryptoError:
            continue
        key, _ = times.get(row.subject, (0, None))
        if body[number] > key:
            times[row.subject] = body[number], statements.parse_time(body["time"])
    return {subject: time for subject, (_, time) in times.items()}


@sensitive_variables()
def relock_after_theft(*, keyring: Keyring) -> Relocked:
    """Give new keys to some of what a thief may open, albums first. What does not open is
    counted."""
    stolen = stolen_readers_of(keyring.user)
    albums = sorted({album for one in stolen for album in one.albums})
    images = sorted({image for one in stolen for image in one.images})
    acts = [partial(rekey, keyring=keyring, circle_id=album) for album in albums]
    acts += [partial(relock, keyring=keyring, image_id=image) for image in images]
    relocked = closed = 0
    for act in acts:
        if relocked == AT_ONCE:
            break
        try:
            act()
            relocked += 1
        except (Altered, Waiting):
            closed += 1
    return Relocked(relocked, len(acts) - relocked - closed, closed)
