"""Everything that opens something, over cryptocore: the tables "Keys under keys" and "Wrapped keys"
of docs/format.md, read from right to left.

Each opener takes one key and yields what it opens.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.keys.content_keys import content_key_label
from accounts.models import KeyPair, KeySlot, WrappedKey
from accounts.organisation.exchange import slot_label
from cryptocore import circles, content, keypair
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key
from cryptocore.passwords import Argon2Cost, stretch
from cryptocore.wrapping import unwrap
from gallery import storage
from gallery.beside import key_in
from gallery.invitation_keys import place_of
from gallery.zero_access.locked import Album, Image, Locked, Person
from gallery.zero_access.strings import KEY_BYTES, Key


class Kind(StrEnum):
    MASTER = "master key"
    OPENING = "opening branch"
    SIGNING = "signing branch"
    PRIVATE = "private key"
    INVITATION = "invitation key"
    CONTENT = "content key"
    ALBUM = "key of an album"
    TITLE = "title of an album"
    PLAINTEXT = "plaintext"
    MAC = "MAC key"


@dataclass(frozen=True)
class Found:
    """Something opened: what, whose, by a string from where, and the key it is. Prints no key."""

    kind: Kind
    of: uuid.UUID
    by: str
    key: bytes | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} of {self.of}: by {self.by}"


# What a slot holds. The organisation's answer holds no more than its slot did.
HELD_BY: dict[str, Kind] = {
    KeySlot.Kind.PASSWORD: Kind.MASTER,
    KeySlot.Kind.RECOVERY_CODE: Kind.MASTER,
    KeySlot.Kind.ORGANISATION: Kind.OPENING,
    KeySlot.Kind.ANSWER: Kind.OPENING,
}
Opener = Callable[[Locked, Key], Iterator[Found]]


@sensitive_variables()
def _opened(wrapped: bytes | None, kek: bytes) -> bytes | None:
    with suppress(CryptoError):
        return unwrap_key(bytes(wrapped or b""), kek)
    return None


# ---- a key of 32 bytes -----------------------------------------------------------------------


@sensitive_variables()
def custody_rows(locked: Locked, key: Key) -> Iterator[Found]:
    """As the secret of an unlock cookie, with the unlock key, and as the wrapping key itself."""
    for person in locked.people:
        for row in person.custody:
            info, unlock_key = context("custody", row.pk, person.user.pk), b""
            with suppress(KeyError):
                unlock_key = settings.UNLOCK_KEYS.get(row.unlock_key)
            derived = derive_key(key.data, info, salt=unlock_key)
            for kek in (derived, key.data):
                if master_key := _opened(row.wrapped_master_key, kek):
                    yield Found(Kind.MASTER, person.user.pk, key.where, master_key)


@sensitive_variables()
def slots(locked: Locked, key: Key) -> Iterator[Found]:
    """As what Argon2 made of a password, and as the wrapping key itself."""
    for person in locked.people:
        for slot in person.slots:
            if slot.kind == KeySlot.Kind.ORGANISATION:
                continue
            for kek in (derive_key(key.data, slot_context(slot)), key.data):
                if held := _opened(slot.wrapped_master_key, kek):
                    yield Found(HELD_BY[slot.kind], person.user.pk, key.where, held)


@sensitive_variables()
def opening_branches(locked: Locked, key: Key) -> Iterator[Found]:
    """As a master key, and as its opening branch."""
    for person in locked.people:
        for version in person.versions:
            info = context("opening", person.user.pk, version)
            for kind, branch in (
                (Kind.OPENING, key.data),
                (Kind.MASTER, derive_key(key.data, info)),
            ):
                if _is_opening_branch(person, version, branch, long_too=key.suspect):
                    yield Found(kind, person.user.pk, key.where)
                    yield from _below_opening(locked, person, version, branch, key.where)


def _is_opening_branch(person: Person, version: int, branch: bytes, *, long_too: bool) -> bool:
    """Try the shortest thing below the branch: what it opens it opens all, or nothing."""
    for slot in person.slots:
        if slot.master_key_version == version and slot.wrapped_confirmation:
            kek = derive_key(branch, context("recovery-confirmation", slot.pk))
            return _opened(slot.wrapped_confirmation, kek) is not None
    pairs = _pairs(person, KeyPair.Purpose.ENCRYPTION, version) if long_too else []
    return any(_private_key(pair, branch) for pair in pairs[:1])


@sensitive_variables()
def _below_opening(
    locked: Locked, person: Person, version: int, branch: bytes, where: str
) -> Iterator[Found]:
    for pair in _pairs(person, KeyPair.Purpose.ENCRYPTION, version):
        if der := _private_key(pair, branch):
            yield Found(Kind.PRIVATE, pair.pk, where, der)
    for row in person.quick_keys:
        instance = settings.SERVER_KEYS.instance_id
        info = context("quick-key", instance, row.subject, person.user.pk, row.lock)
        if held := _opened(row.quick_key, derive_key(branch, info)):
            yield Found(_kind_of(row, locked), row.subject, where, held)


@sensitive_variables()
def signing_branches(locked: Locked, key: Key) -> Iterator[Found]:
    """As a master key, and as its signing branch: below it are private keys alone."""
    if not key.suspect:
        return
    for person in locked.people:
        for version in person.versions:
            branch = derive_key(key.data, context("signing", person.user.pk, version))
            for pair in _pairs(person, KeyPair.Purpose.SIGNING, version):
                for kind, way in ((Kind.SIGNING, key.data), (Kind.MASTER, branch)):
                    if der := _private_key(pair, way):
                        yield Found(kind, person.user.pk, key.where)
                        yield Found(Kind.PRIVATE, pair.pk, key.where, der)


@sensitive_variables()
def private_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As the wrapping key of a private key itself."""
    if not key.suspect:
        return
    for pair in locked.fingerprints.values():
        if der := _opened(pair.wrapped_private_key, key.data):
            yield Found(Kind.PRIVATE, pair.pk, key.where, der)


@sensitive_variables()
def quick_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As the wrapping key of a quick key itself."""
    if not key.suspect:
        return
    for person in locked.people:
        for row in person.quick_keys:
            if held := _opened(row.quick_key, key.data):
                yield Found(_kind_of(row, locked), row.subject, key.where, held)


@sensitive_variables()
def content_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As a content key: the manifest's commitment shows it, and the bytes it decrypts."""
    for image in locked.images:
        if _commits_to(image, key.data):
            yield Found(Kind.CONTENT, image.pk, key.where)
            if any(_decrypts(image, name, key.data) for name in image.renditions):
                yield Found(Kind.PLAINTEXT, image.pk, key.where)


@sensitive_variables()
def album_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As an album's key: its owner's commitment shows it, and what it opens."""
    for album in locked.albums:
        if not _is_key_of(album, key.data):
            continue
        yield Found(Kind.ALBUM, album.pk, key.where)
        instance = settings.SERVER_KEYS.instance_id
        with suppress(CryptoError):
            circles.decrypt_details(
                album.details, key.data, instance=instance, circle=album.pk, epoch=album.epoch
            )
            yield Found(Kind.TITLE, album.pk, key.where)
        for row in album.placements:
            with suppress(CryptoError):
                content_key = key_in(row, key.data)
                yield Found(Kind.CONTENT, row.image_id, key.where, content_key)
        for one in album.albums:
            with suppress(CryptoError, ValueError):
                yield Found(Kind.ALBUM, one.circle_id, key.where, key_in(one, key.data))


@sensitive_variables()
def places_in_albums(locked: Locked, key: Key) -> Iterator[Found]:
    """As the wrapping key itself of an image's place in an album or a team, or of an album's key
    under a team's."""
    if not key.suspect:
        return
    for album in locked.albums:
        for row in album.placements:
            if content_key := _opened(row.wrapped, key.data):
                yield Found(Kind.CONTENT, row.image_id, key.where, content_key)
        for one in album.albums:
            if album_key := _opened(one.wrapped, key.data):
                yield Found(Kind.ALBUM, one.circle_id, key.where, album_key)


@sensitive_variables()
def links(locked: Locked, key: Key) -> Iterator[Found]:
    """As what an invitation's link holds, and as the wrapping key itself."""
    for person in locked.people:
        for one in person.invitations:
            info = context("invitation", *place_of(one).values())
            for kek in (derive_key(key.data, info), key.data):
                if invitation_key := _opened(one.link_wrapped, kek):
                    yield Found(Kind.INVITATION, one.pk, key.where, invitation_key)


@sensitive_variables()
def invitation_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As an invitation's key, and as what wraps one content key under it."""
    for row in locked.invited:
        place, subject = place_of(row.invitation), row.list_of.pk
        info = context("invitation-content-key", *place.values(), subject, row.lock)
        for kek in (derive_key(key.data, info), key.data):
            if content_key := _opened(row.wrapped, kek):
                yield Found(Kind.CONTENT, subject, key.where, content_key)


@sensitive_variables()
def mac_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As a notice key, which the key file holds and which opens MAC keys, and nothing else."""
    for row in locked.mac_keys:
        kek = derive_key(key.data, context("mac-key", row.user_id, row.epoch))
        if mac_key := _opened(row.wrapped_key, kek):
            yield Found(Kind.MAC, row.pk, key.where, mac_key)


OF_32_BYTES: list[Opener] = [
    custody_rows,
    slots,
    opening_branches,
    signing_branches,
    private_keys,
    quick_keys,
    content_keys,
    album_keys,
    places_in_albums,
    links,
    invitation_keys,
    mac_keys,
]


# ---- a private key ---------------------------------------------------------------------------


@sensitive_variables()
def wrapped_keys(locked: Locked, key: Key) -> Iterator[Found]:
    """As somebody's private key, found as it is, and as one that content keys are wrapped to."""
    try:
        private_key = keypair.check_private_key(key.data)
    except CryptoError:
        return
    fingerprint = keypair.fingerprint(keypair.public_der(private_key.public_key()))
    if fingerprint in locked.fingerprints:
        yield Found(Kind.PRIVATE, locked.fingerprints[fingerprint].pk, key.where)
    for row in locked.wrapped_keys:
        label = content_key_label(row.key_pair, subject=row.subject, lock=row.lock)
        with suppress(CryptoError):
            held = unwrap(bytes(row.oaep_bytes), private_key, label=label)
            yield Found(_kind_of(row, locked), row.subject, key.where, held)


@sensitive_variables()
def organisation_slots(locked: Locked, key: Key) -> Iterator[Found]:
    """As the private half of the organisation's recovery key, which is kept elsewhere."""
    try:
        private_key = keypair.check_private_key(key.data)
    except CryptoError:
        return
    instance = settings.SERVER_KEYS.instance_id
    for person in locked.people:
        for slot in person.slots:
            if slot.kind == KeySlot.Kind.ORGANISATION:
                version, named = slot.master_key_version, slot.organisation_key
                label = slot_label(instance, person.user.pk, slot.pk, version, named)
                with suppress(CryptoError):
                    branch = unwrap(bytes(slot.wrapped_master_key), private_key, label=label)
                    yield Found(Kind.OPENING, person.user.pk, key.where, branch)


def openers_for(key: Key) -> list[Opener]:
    return OF_32_BYTES if len(key.data) == KEY_BYTES else [wrapped_keys, organisation_slots]


# ---- a password, a code ----------------------------------------------------------------------


@sensitive_variables()
def by_password(person: Person, password: str, where: str) -> Iterator[Found]:
    for slot in person.slots:
        if slot.kind != KeySlot.Kind.PASSWORD:
            continue
        cost = Argon2Cost(slot.time_cost or 1, slot.memory_kib or 8, slot.parallelism or 1)
        with suppress(CryptoError):
            stretched = stretch(password, salt=bytes(slot.salt), cost=cost)
            kek = derive_key(stretched, slot_context(slot))
            yield Found(
                Kind.MASTER, person.user.pk, where, unwrap_key(bytes(slot.wrapped_master_key), kek)
            )


@sensitive_variables()
def by_code(person: Person, code: str, where: str) -> Iterator[Found]:
    for slot in person.slots:
        kek = derive_key(code.encode("ascii"), slot_context(slot), salt=bytes(slot.salt))
        if held := _opened(slot.wrapped_master_key, kek):
            yield Found(HELD_BY[slot.kind], person.user.pk, where, held)


# ---- the formats -----------------------------------------------------------------------------


def slot_context(slot: KeySlot) -> bytes:
    return context(f"key-slot/{slot.kind}", slot.user_id, slot.pk, slot.master_key_version)


def _pairs(person: Person, purpose: KeyPair.Purpose, version: int) -> list[KeyPair]:
    return [
        pair
        for pair in person.pairs
        if (pair.purpose, pair.master_key_version) == (purpose, version)
    ]


@sensitive_variables()
def _private_key(pair: KeyPair, branch: bytes) -> bytes | None:
    info = context(f"private-key/{pair.purpose}", pair.user_id, pair.epoch, pair.pk)
    return _opened(pair.wrapped_private_key, derive_key(branch, info))


def _commits_to(image: Image, content_key: bytes) -> bool:
    with suppress(CryptoError):
        content.check_key_commitment(
            content_key,
            image.commitment,
            image_id=image.pk,
            owner_id=image.owner,
            lock=image.lock,
        )
        return True
    return False


def _kind_of(row: WrappedKey, locked: Locked) -> Kind:
    """Return what is wrapped: the key of an album, of an invitation or of an image."""
    invitations = [one.pk for person in locked.people for one in person.invitations]
    if row.subject in invitations:
        return Kind.INVITATION
    is_album = row.subject in [album.pk for album in locked.albums]
    return Kind.ALBUM if is_album else Kind.CONTENT


def _is_key_of(album: Album, key: bytes) -> bool:
    with suppress(CryptoError):
        circles.check_commitment(
            key, album.commitment, circle=album.pk, owner=album.owner, epoch=album.epoch
        )
        return True
    return False


def _decrypts(image: Image, rendition: str, content_key: bytes) -> bool:
    """Whether stored bytes open to what the owner's manifest tagged."""
    facts = image.renditions[rendition]
    stored = storage.read(image.names.get(rendition, ""), at_most=facts["length"])
    with suppress(CryptoError):
        content.check_plaintext_tag(
            content_key,
            bytes.fromhex(facts["plaintext_tag"]),
            rendition=rendition,
            plaintext=content.decrypt(stored or b"", content_key),
        )
        return True
    return False
