"""One act of an owner on many images: one after the other, each by itself whole or not at all.

A request has a limited time for it. What it did not reach is asked for again by the next one, and
asking again for what is done already changes nothing.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.certificates import NoKeys
from accounts.keys.pins import ContactsRefused, KeyChanged
from accounts.models import User
from cryptocore.errors import CryptoError
from gallery.access import has_ended
from gallery.errors import PART_AWAY, Altered, GalleryError, NotARecipient
from gallery.models import Grant, SealedImage
from gallery.opening import Opener
from gallery.services.revoking import revoke

AT_ONCE = 60  # images per request, as on a page of a list: their titles are read together
SECONDS = 10  # per request, after which no further image is begun

# What is wrong with one image, or for a moment, keeps nobody from what is told of the others.
REFUSED = (GalleryError, NoKeys, KeyChanged, ContactsRefused, CryptoError, *PART_AWAY)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Done(Generic[Result]):
    """What came of one image: the results before it was refused, if it was."""

    image_id: uuid.UUID
    results: list[Result] = field(default_factory=list)
    refused: Exception | None = None


def one_after_another(
    image_ids: Sequence[uuid.UUID],
    act: Callable[[uuid.UUID], Iterable[Result]],
    *,
    may_go_on: Callable[[], bool],
) -> list[Done[Result]]:
    """Act on the first of these images, at least on one, until the time is over or its person may
    not go on: their keys were locked meanwhile, or they were signed out or disabled."""
    until = time.monotonic() + SECONDS
    done = [_do(image_ids[0], act)]
    for image_id in image_ids[1:AT_ONCE]:
        if time.monotonic() >= until or not may_go_on():
            break
        done.append(_do(image_id, act))
    return done


def _do(image_id: uuid.UUID, act: Callable[[uuid.UUID], Iterable[Result]]) -> Done[Result]:
    results: list[Result] = []
    try:
        for result in act(image_id):
            results.append(result)
    except REFUSED as error:
        return Done(image_id, results, error)
    return Done(image_id, results)


@sensitive_variables()
def revoke_each(
    *, keyring: Keyring, image_id: uuid.UUID, people: Iterable[User]
) -> Iterator[Grant]:
    """End the access of each of these people to the owner's image; yield the ended grants.

    Those who never had access are left out. Raises as revoke() does, and then the ones before are
    ended.
    """
    for person in people:
        with suppress(NotARecipient):
            yield revoke(keyring=keyring, image_id=image_id, recipient=person)


def first_of_others(image_ids: Collection[uuid.UUID], *, owner: User) -> uuid.UUID | None:
    """Return the first of these ids that is not of this person's images, deleted ones too; None if
    all are."""
    owned = SealedImage.objects.filter(pk__in=image_ids, owner=owner)
    own = set(owned.values_list("pk", flat=True))
    return next((image_id for image_id in image_ids if image_id not in own), None)


def readers_of(
    image_ids: Collection[uuid.UUID], *, owner: User, opener: Opener
) -> dict[User, set[uuid.UUID]]:
    """Return who can open which of these images of their owner's, as the owner signed it.

    An image whose list does not verify names nobody. Raises TrailAway.
    """
    opener.prepare(image_ids)
    grants = Grant.objects.filter(image__in=image_ids, image__deleted_at=None, ended_at=None)
    readers: dict[User, set[uuid.UUID]] = defaultdict(set)
    for grant in grants.exclude(reader=owner).select_related("reader", "image__owner"):
        with suppress(Altered):
            if not has_ended(grant) and opener.is_signed(grant):
                readers[grant.reader].add(grant.image_id)
    return readers
