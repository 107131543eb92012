"""After a theft of somebody's keys: which images a thief may open, and encrypting them again.

Somebody who has a stolen private key and a copy of the database can open what was wrapped to it
then. A new lock ends that for what is stored from now on; it cannot call back what was read.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import KeyPair, User
from cryptocore import statements
from cryptocore.errors import CryptoError
from gallery.errors import Altered, Waiting
from gallery.models import Grant
from gallery.sealing import MANIFEST, heads_of
from gallery.services.revoking import relock

AT_ONCE = 10  # images per request: each is opened, encrypted and stored again


@dataclass(frozen=True)
class StolenReader:
    """Somebody whose keys were stolen, and the owner's images whose locks are older than that."""

    person: User
    stolen_at: datetime
    images: frozenset[uuid.UUID]


@dataclass(frozen=True)
class Relocked:
    """How many images were encrypted again, are left, and do not open or verify."""

    relocked: int
    left: int
    closed: int


def stolen_readers_of(owner: User) -> list[StolenReader]:
    """Return whose stolen keys, the owner's own too, open images of this owner still."""
    keys = KeyPair.objects.filter(purpose=KeyPair.Purpose.ENCRYPTION, compromised_at__isnull=False)
    if not keys.exists():  # then an owner's hundred thousand images are not looked through
        return []
    grants = Grant.objects.filter(image__owner=owner, image__deleted_at=None, ended_at=None)
    theirs = keys.filter(user__in=grants.values("reader"))
    stolen = dict(theirs.values_list("user").annotate(Max("compromised_at")))
    if not stolen:
        return []
    pairs = list(grants.filter(reader__in=stolen).values_list("reader", "image"))
    locked_at = _locked_at({image for _, image in pairs})
    readers = []
    for person in User.objects.filter(pk__in=stolen).order_by("username"):
        since = stolen[person.pk]
        images = {image for reader, image in pairs if reader == person.pk}
        before = frozenset(one for one in images if locked_at.get(one, since) <= since)
        if before:
            readers.append(StolenReader(person, since, before))
    return readers


def _locked_at(images: set[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Return when each image got its current lock, as its newest manifest says."""
    times = {}
    for manifest in heads_of(images).filter(kind=MANIFEST):
        try:
            body = statements.parse(MANIFEST, bytes(manifest.body))
        except CryptoError:
            continue
        times[manifest.subject] = statements.parse_time(body["time"])
    return times


@sensitive_variables()
def relock_after_theft(*, keyring: Keyring) -> Relocked:
    """Encrypt again some of the images that a thief may open. Those that do not open are
    counted."""
    images = {image for one in stolen_readers_of(keyring.user) for image in one.images}
    relocked = closed = 0
    for image_id in sorted(images):
        if relocked == AT_ONCE:
            break
        try:
            relock(keyring=keyring, image_id=image_id)
            relocked += 1
        except (Altered, Waiting):
            closed += 1
    return Relocked(relocked, len(images) - relocked - closed, closed)
