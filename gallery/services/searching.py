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

from django.db.models import Max, Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.remembered import owners_suspended
from accounts.models import User
from cryptocore.errors import CryptoError
from gallery.access import Access, accesses_through_circles, asked_about
from gallery.errors import GalleryError
from gallery.models import Grant, SearchEntry, Statement
from gallery.opening import Opener, settled
from gallery.sealing import MANIFEST

SECONDS = 2.0  # what one request gives to images whose words are not kept yet
CHUNK = 60  # of these, whose statements are fetched together
MAX_WORDS = 8  # that count, of what is looked for


@dataclass(frozen=True)
class Found:
    """The images that were found, newest first, and how many were not looked at yet: the next
    search goes on with them."""

    accesses: list[Access]
    left: int


@sensitive_variables()
def search(*, keyring: Keyring, text: str) -> Found:
    """Return which of the images that this person can open hold every word of `text`.

    Capital letters and accents make no difference, and a part of a word is enough.
    """
    accesses = _open_images(keyring.user)
    kept = _kept_words(keyring, accesses)
    missing = [access for access in accesses if access.image.pk not in kept]
    tried = _read_missing(keyring, missing, kept)
    found = {access.image.pk for access in accesses}
    for word in words_of(text):
        found &= {image for image, words in kept.items() if word in words} | _with_person(
            keyring.user, word
        )
    return Found([one for one in accesses if one.image.pk in found], len(missing) - tried)


def words_of(text: str) -> list[str]:
    """Return the words to look for: a text of more is cut."""
    return folded(text).split()[:MAX_WORDS]


def folded(text: str) -> str:
    """Return a text without capital letters and accents: nobody types them alike."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _open_images(person: User) -> list[Access]:
    """Return a way to each image, the newest first: a grant of their own, or a circle's. None to
    what staff suspended: what a search finds would say its words. Raises AuditUnavailable."""
    rows = Grant.objects.filter(reader=person, ended_at=None).exclude(ends_at__lte=timezone.now())
    shown = rows.select_related("image").only("reader", "granted_at", "image__lock", "image__owner")
    ways = {grant.image_id: Access(person, grant) for grant in shown}
    for access in accesses_through_circles(person):
        ways.setdefault(access.image.pk, access)
    refused = owners_suspended({access.image.owner_id for access in ways.values()} - {person.pk})
    opened = [access for access in ways.values() if access.image.owner_id not in refused]
    return sorted(opened, key=lambda access: access.granted_at, reverse=True)


def in_full(accesses: Sequence[Access]) -> list[Access]:
    """Return the same with all that opening and showing them takes."""
    ids = [access.way.pk for access in accesses if isinstance(access.way, Grant)]
    rows = Grant.objects.filter(pk__in=ids)
    whole = rows.select_related("reader", "image__owner", "wrapped_key__key_pair").in_bulk()
    found = []
    for one in accesses:
        way = whole.get(one.way.pk) if isinstance(one.way, Grant) else one.way
        found += [Access(one.reader, way)] if way else []
    return found


@sensitive_variables()
def _kept_words(keyring: Keyring, accesses: Iterable[Access]) -> dict[uuid.UUID, str]:
    """Return the words that are kept of these images, each of its newest manifest. Others are of
    images that this person cannot open any more: they go."""
    images = {access.image.pk for access in accesses}
    entries = SearchEntry.objects.filter(person=keyring.user)
    signed = Statement.objects.filter(kind=MANIFEST, subject__in=entries.values("image"))
    newest = dict(signed.order_by().values_list("subject").annotate(Max("sequence")))
    keys, kept, gone = keyring.search_keys(), {}, []
    for entry in entries.iterator():
        number = entry.manifest
        if entry.image_id not in images:
            gone.append(entry.pk)
        elif number == newest.get(entry.image_id):
            # Made under an earlier master key, or altered: read from the image again.
            with suppress(CryptoError):
                opened = keys.open(bytes(entry.sealed), image=entry.image_id, manifest=number)
                kept[entry.image_id] = opened.decode(errors="replace")
    if gone:
        SearchEntry.objects.filter(pk__in=gone).delete()
    return kept


@sensitive_variables()
def _read_missing(keyring: Keyring, missing: Sequence[Access], kept: dict[uuid.UUID, str]) -> int:
    """Open descriptions until the time is over, keep their words; return how many were tried."""
    until, opener, tried = time.monotonic() + SECONDS, Opener(keyring), 0
    for start in range(0, len(missing), CHUNK):
        if time.monotonic() >= until:
            break
        some = in_full(missing[start : start + CHUNK])
        opener.prepare(asked_about(some))
        read = _words_in(some, opener)
        _keep(keyring, some, read, opener)
        kept |= read
        tried += len(missing[start : start + CHUNK])
    return tried


@sensitive_variables()
def _words_in(accesses: Iterable[Access], opener: Opener) -> dict[uuid.UUID, str]:
    """Return the words of the images that open. A list says what is wrong with the others."""
    read = {}
    for access in accesses:
        with suppress(GalleryError):
            said = settled(opener, access, opener.description)
            # A reader is shown a neutral name: names of files can give people away.
            names = [said["file_name"]] if access.is_owner else []
            words = [said["caption"], *filter(None, [said.get("alt_text")]), *names]
            read[access.image.pk] = folded("\n".join(words))
    return read


@sensitive_variables()
def _keep(
    keyring: Keyring, accesses: Iterable[Access], read: dict[uuid.UUID, str], opener: Opener
) -> None:
    keys, entries = keyring.search_keys(), []
    for image in (access.image for access in accesses if access.image.pk in read):
        # The manifest they were read by: if an edit came since, they count for nothing.
        number = opener.newest(MANIFEST, image).sequence
        sealed = keys.seal(read[image.pk].encode(), image=image.pk, manifest=number)
        entries.append(
            SearchEntry(person=keyring.user, image=image, manifest=number, sealed=sealed)
        )
    SearchEntry.objects.bulk_create(
        entries,
        update_conflicts=True,
        unique_fields=["person", "image"],
        update_fields=["manifest", "sealed"],
    )


def _with_person(person: User, word: str) -> set[uuid.UUID]:
    """Return the images that this person shared with, or got from, somebody called so.

    By the names in rows, which anybody could have altered: beside a picture only certified names
    are shown.
    """
    live = Grant.objects.filter(ended_at=None)
    readers, owners = live.filter(owner=person), live.filter(reader=person)
    # Not joined: each of an owner's grants would meet each of their images.
    others = User.objects.filter(
        Q(pk__in=readers.values("reader")) | Q(pk__in=owners.values("owner"))
    ).exclude(pk=person.pk)
    names = others.values_list("pk", "username", "display_name")
    called = [pk for pk, *both in names if word in folded(" ".join(both))]
    if not called:
        return set()
    received = Grant.objects.filter(reader=person, owner__in=called)
    shared = Grant.objects.filter(owner=person, reader__in=called)
    rows = received.filter(ended_at=None).union(shared.filter(ended_at=None))
    return set(rows.values_list("image_id", flat=True))
