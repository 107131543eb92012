"""Search through one's own images: captions, file names, people.

Captions are encrypted, so a database cannot look for them. The words of each image are kept once
more for each of its readers, under a key of that reader's (docs/decisions/0068-search.md): reading
all of them takes a moment, opening all the images would take minutes. What is kept is only an
index: whatever is found is opened and verified before it is shown.
"""

import time
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import User
from cryptocore.errors import CryptoError
from gallery.access import Access
from gallery.errors import GalleryError
from gallery.models import Grant, SearchEntry
from gallery.opening import Opener, settled

SECONDS = 2.0  # what one request gives to images whose words are not kept yet
CHUNK = 60  # of these, whose statements are fetched together
MAX_WORDS = 8  # that count, of what is looked for


@dataclass(frozen=True)
class Found:
    """The grants of the images that were found, newest first, and how many images were not looked
    at yet: the next search goes on with them."""

    grants: list[uuid.UUID]
    left: int


@sensitive_variables()
def search(*, keyring: Keyring, text: str) -> Found:
    """Return which of the images that this person can open hold every word of `text`.

    Capital letters and accents make no difference, and a part of a word is enough.
    """
    grants = _open_grants(keyring.user)
    kept = _kept_words(keyring, grants)
    missing = [grant for grant in grants if grant.image_id not in kept]
    tried = _read_missing(keyring, missing, kept)
    found = {grant.image_id for grant in grants}
    for word in words_of(text):
        found &= {image for image, words in kept.items() if word in words} | _with_person(
            keyring.user, word
        )
    return Found([one.pk for one in grants if one.image_id in found], len(missing) - tried)


def words_of(text: str) -> list[str]:
    """Return the words to look for: a text of more is cut."""
    return folded(text).split()[:MAX_WORDS]


def folded(text: str) -> str:
    """Return a text without capital letters and accents: nobody types them alike."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _open_grants(person: User) -> list[Grant]:
    rows = Grant.objects.filter(reader=person, ended_at=None).exclude(ends_at__lte=timezone.now())
    shown = rows.select_related("image").only("reader", "image__lock", "image__owner")
    return list(shown.order_by("-granted_at", "pk"))


@sensitive_variables()
def _kept_words(keyring: Keyring, grants: Iterable[Grant]) -> dict[uuid.UUID, str]:
    """Return the words that are kept of these images, each of its present lock. Others are of
    images that this person cannot open any more: they go."""
    locks = {grant.image_id: grant.image.lock for grant in grants}
    keys, kept, gone = keyring.search_keys(), {}, []
    for entry in SearchEntry.objects.filter(person=keyring.user).iterator():
        lock = locks.get(entry.image_id)
        if lock is None:
            gone.append(entry.pk)
        elif entry.lock == lock:
            # Made under an earlier master key, or altered: read from the image again.
            with suppress(CryptoError):
                opened = keys.open(bytes(entry.sealed), image=entry.image_id, lock=lock)
                kept[entry.image_id] = opened.decode(errors="replace")
    if gone:
        SearchEntry.objects.filter(pk__in=gone).delete()
    return kept


@sensitive_variables()
def _read_missing(keyring: Keyring, missing: Sequence[Grant], kept: dict[uuid.UUID, str]) -> int:
    """Open descriptions until the time is over, keep their words; return how many were tried."""
    until, opener, tried = time.monotonic() + SECONDS, Opener(keyring), 0
    for start in range(0, len(missing), CHUNK):
        if time.monotonic() >= until:
            break
        ids = [grant.pk for grant in missing[start : start + CHUNK]]
        grants = Grant.objects.filter(pk__in=ids)
        some = list(grants.select_related("reader", "image__owner", "wrapped_key__key_pair"))
        opener.prepare([grant.image_id for grant in some])
        read = _words_in(some, opener)
        _keep(keyring, some, read)
        kept |= read
        tried += len(ids)
    return tried


@sensitive_variables()
def _words_in(grants: Iterable[Grant], opener: Opener) -> dict[uuid.UUID, str]:
    """Return the words of the images that open. A list says what is wrong with the others."""
    read = {}
    for grant in grants:
        with suppress(GalleryError):
            said = settled(opener, Access(grant.reader, grant), opener.description)
            # A reader is shown a neutral name: names of files can give people away.
            own = grant.reader_id == grant.image.owner_id
            read[grant.image_id] = folded("\n".join([said["caption"], *[said["file_name"]] * own]))
    return read


@sensitive_variables()
def _keep(keyring: Keyring, grants: Iterable[Grant], read: dict[uuid.UUID, str]) -> None:
    keys, entries = keyring.search_keys(), []
    for grant in grants:
        if grant.image_id in read:
            words, lock = read[grant.image_id].encode(), grant.image.lock
            sealed = keys.seal(words, image=grant.image_id, lock=lock)
            entries.append(
                SearchEntry(person=keyring.user, image=grant.image, lock=lock, sealed=sealed)
            )
    SearchEntry.objects.bulk_create(
        entries,
        update_conflicts=True,
        unique_fields=["person", "image"],
        update_fields=["lock", "sealed"],
    )


def _with_person(person: User, word: str) -> set[uuid.UUID]:
    """Return the images that this person shared with, or got from, somebody called so.

    By the names in rows, which anybody could have altered: beside a picture only certified names
    are shown.
    """
    others = User.objects.filter(
        Q(grants__image__owner=person, grants__ended_at=None)
        | Q(images__grants__reader=person, images__grants__ended_at=None)
    ).exclude(pk=person.pk)
    names = others.distinct().values_list("pk", "username", "display_name")
    called = [pk for pk, *both in names if word in folded(" ".join(both))]
    if not called:
        return set()
    received = Grant.objects.filter(reader=person, image__owner__in=called)
    shared = Grant.objects.filter(image__owner=person, reader__in=called)
    rows = received.filter(ended_at=None).union(shared.filter(ended_at=None))
    return set(rows.values_list("image_id", flat=True))
