"""Sealing: renditions encrypted under one content key, and the statements that sign for them.

Nothing here reads or writes a row; services decide when.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.certificates import NoKeys, signing_pair_of, verified_signing_key
from accounts.keys.content_keys import wrap_content_key
from accounts.keys.recipients import Reader, ReaderKey, reader_of
from accounts.models import KeyPair, WrappedKey
from cryptocore import content, entries, statements
from cryptocore.errors import CryptoError
from gallery.errors import OwnKeyRefused
from gallery.models import Circle, Listed, Rendition, SealedImage, Statement

MANIFEST = "manifest"
SHARE = "share"
MEMBERSHIP = "membership"
ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True)
class Plain:
    """One rendition before it is encrypted, in pieces. Never prints its bytes."""

    pieces: Iterable[bytes] = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Sealed:
    """One rendition's stored bytes, and what the manifest says of it."""

    stored: bytes = field(repr=False)
    facts: dict[str, object]


@sensitive_variables()
def seal_rendition(name: str, plain: Plain, content_key: bytes) -> Sealed:
    """Encrypt a rendition as its pieces come: of a large one nothing else is in memory."""
    stored, tag = content.encrypt_and_tag(plain.pieces, content_key, rendition=name)
    return _sealed(stored, tag, plain.media_type)


def _sealed(stored: bytes, tag: bytes, media_type: str) -> Sealed:
    facts: dict[str, object] = {
        "sha256": statements.digest(stored),
        "length": len(stored),
        "media_type": media_type,
        "plaintext_tag": tag.hex(),
    }
    return Sealed(stored, facts)


@dataclass(frozen=True)
class Received:
    """An original that was encrypted while it came from its decoder, under the content key of the
    image that it becomes. Its plaintext is nowhere whole."""

    content_key: bytes = field(repr=False)
    _stored: bytes = field(repr=False)
    _tag: bytes = field(repr=False)

    @classmethod
    @sensitive_variables()
    def of(cls, pieces: Iterable[bytes]) -> "Received":
        content_key, name = content.new_content_key(), Rendition.Name.ORIGINAL.value
        return cls(content_key, *content.encrypt_and_tag(pieces, content_key, rendition=name))

    @property
    def length(self) -> int:
        end = self._stored[-content.END_BYTES :]
        return content.plaintext_length(len(self._stored), end, self.content_key)

    def pieces(self) -> Iterator[bytes]:
        return content.decrypt_pieces(self._stored, self.content_key)

    def sealed(self, media_type: str) -> Sealed:
        return _sealed(self._stored, self._tag, media_type)


@sensitive_variables()
def wrap_for(
    reader: Reader, content_key: bytes, *, subject: uuid.UUID, lock: int
) -> WrappedKey | None:
    """Return the content key wrapped to a reader's key, not stored yet; None for a reader who
    waits."""
    if reader.key is None:
        return None
    return wrap_to(reader.key, content_key, subject=subject, lock=lock)


@sensitive_variables()
def wrap_to_oneself(
    keyring: Keyring, content_key: bytes, *, subject: uuid.UUID, lock: int
) -> WrappedKey:
    """Return the content key wrapped to the person whose keys are open, with its quick key. Raises
    OwnKeyRefused: their keys do not verify, or their theft was ordered just now."""
    own = None
    with suppress(NoKeys):
        own = reader_of(keyring.user).key
    if own is None:
        raise OwnKeyRefused
    keyring.prove(own.pair)  # certified is not enough when you wrap to yourself
    wrapped = wrap_to(own, content_key, subject=subject, lock=lock)
    wrapped.quick_key = keyring.wrap_quick_key(content_key, subject=subject, lock=lock)
    return wrapped


@sensitive_variables()
def wrap_to(key: ReaderKey, content_key: bytes, *, subject: uuid.UUID, lock: int) -> WrappedKey:
    return wrap_content_key(content_key, key.pair, key.public_key, subject=subject, lock=lock)


@sensitive_variables()
def manifest_fields(
    sealed: Mapping[str, Sealed],
    content_key: bytes,
    share: Statement,
    *,
    image: SealedImage,
    lock: int,
) -> dict[str, object]:
    """Return what a manifest says. `share` is stored with it: no older list goes with it."""
    commitment = content.key_commitment(
        content_key, image_id=image.pk, owner_id=image.owner_id, lock=lock
    )
    return {
        "lock": lock,
        "share": share.digest,
        "renditions": {name: rendition.facts for name, rendition in sealed.items()},
        "key_commitment": commitment.hex(),
    }


def set_entry(row: Listed, *, rights: str, ends_at: datetime | None) -> None:
    """Fill a row's entry: what the signed list will cover of it, under a new salt. An end loses its
    fraction of a second, as in the entry: a row that says more than its entry is nobody's.
    """
    ends_at = ends_at and ends_at.replace(microsecond=0)
    row.rights, row.ends_at = rights, ends_at
    kind, holder = row.holder
    row.entry = entries.encode_entry(kind=kind, holder=holder, rights=rights, ends_at=ends_at)
    row.salt = entries.new_salt()


def share_fields(rows: Iterable[Listed]) -> dict[str, object]:
    """Return what a signed list says: a digest of each of these rows."""
    digests = {entries.entry_digest(bytes(row.entry), bytes(row.salt)) for row in rows}
    return {"entries": sorted(digests)}


def album_signed(circle: Circle) -> str | None:
    """Return what a membership statement calls the album whose successors a circle is."""
    return str(circle.album_id) if circle.album_id else None


def sign_statement(
    kind: str,
    fields: Mapping[str, object],
    *,
    keyring: Keyring,
    subject: uuid.UUID,
    previous: Statement | None,
) -> Statement:
    """Return the owner's next statement of this kind about this subject: not stored yet.

    Raises OwnKeyRefused where nobody would believe it.
    """
    pair = own_signing_pair(keyring)
    sequence = previous.sequence + 1 if previous else 1
    body = statements.compose(
        kind,
        instance=settings.SERVER_KEYS.instance_id,
        subject=subject,
        sequence=sequence,
        previous=previous.digest if previous else None,
        time=timezone.now(),
        signer=keyring.user.pk,
        key=pair.fingerprint,
        **fields,
    )
    return Statement(
        kind=kind,
        subject=subject,
        sequence=sequence,
        body=body,
        signature=keyring.sign(pair, kind, body),
    )


def own_signing_pair(keyring: Keyring) -> KeyPair:
    """Return the pair this person signs with. Raises OwnKeyRefused if it is not in use, or its
    certificate not believed: what it signs would be accepted here and open for nobody."""
    try:
        pair = signing_pair_of(keyring.user.pk)
        verified_signing_key(pair)
    except (CryptoError, NoKeys):
        raise OwnKeyRefused from None
    return pair


def heads_of(subjects: Iterable[uuid.UUID]) -> QuerySet[Statement]:
    """Return the newest statement of each kind about each of these."""
    newer = Statement.objects.filter(
        kind=OuterRef("kind"), subject=OuterRef("subject"), sequence__gt=OuterRef("sequence")
    )
    return Statement.objects.filter(~Exists(newer), subject__in=subjects)


def head_of(kind: str, subject: uuid.UUID) -> Statement | None:
    """Return the newest statement of this kind about this subject: the only one that counts."""
    return Statement.objects.filter(kind=kind, subject=subject).order_by("-sequence").first()
