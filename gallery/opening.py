"""Opening: from stored bytes to a picture, failing closed.

The steps, as docs/format.md numbers them. (1), who may ask at all, is gallery/access.py.

  (2) both people's keys are certified            (5) stored length and digest are the signed ones
  (3) the owner signed the manifest               (6) the content key opens for this reader
  (4) the newest share statement lists the reader (7) the content key is the committed one
                                                  (8) the same buffer is decrypted

Outside there is one answer whichever failed; the trail names the step. No byte of the picture
leaves before (7).
"""

import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from Crypto.PublicKey.RSA import RsaKey
from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.certificates import verified_encryption_key, verified_signing_key
from accounts.content_keys import content_key_label
from accounts.custody import Keyring
from accounts.models import KeyPair, WrappedKey
from cryptocore import content, entries, statements
from cryptocore.errors import CryptoError
from gallery import storage
from gallery.access import Access, access_to
from gallery.errors import Altered, Waiting
from gallery.ledger import saw_before
from gallery.models import Grant, Rendition, SealedImage, Statement
from gallery.sealing import MANIFEST, SHARE, head_of, heads_of

Body = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Opened:
    """One rendition, verified and ready to be decrypted. Never prints bytes or keys."""

    stored: bytes = field(repr=False)
    content_key: bytes = field(repr=False)
    media_type: str

    @property
    def length_bytes(self) -> int:
        return content.plaintext_length(self.stored, self.content_key)

    def chunks(self) -> Iterator[bytes]:
        return content.decrypt_chunks(self.stored, self.content_key)

    def plaintext(self) -> bytes:
        return b"".join(self.chunks())


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Whatever an attacker can cause in this step is `Altered`, with the step's name."""
    try:
        yield
    # TypeError: a number too large for its place in a context.
    except (CryptoError, KeyError, ValueError, TypeError):
        raise Altered(name) from None


class Opener:
    """Opens images for one reader, within one request: each check is done once and remembered."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._signing_keys: dict[tuple[uuid.UUID, str], tuple[KeyPair, RsaKey]] = {}
        self._bodies: dict[tuple[str, uuid.UUID], Body] = {}
        self._heads: dict[tuple[str, uuid.UUID], Statement] = {}
        self._storage_names: dict[tuple[uuid.UUID, str], str] = {}
        self._certified_pairs: set[uuid.UUID] = set()

    def prepare(self, image_ids: Iterable[uuid.UUID]) -> None:
        """Fetch what opening these images will ask for: a page of sixty costs two queries."""
        ids = list(image_ids)
        for statement in heads_of(ids):
            self._heads[statement.kind, statement.subject] = statement
        for row in Rendition.objects.filter(image_id__in=ids):
            self._storage_names[row.image_id, row.name] = row.storage_name

    def forget(self, image_id: uuid.UUID) -> None:
        """Drop what was read of an image that has changed meanwhile."""
        for remembered in (self._bodies, self._heads):
            for kind in (MANIFEST, SHARE):
                remembered.pop((kind, image_id), None)
        for name in Rendition.Name.values:
            self._storage_names.pop((image_id, name), None)

    def open(self, access: Access, rendition: str) -> Opened:
        """Return one rendition of an image. Raises Altered, Waiting or StorageAway."""
        self._check_own_key(access)
        manifest = self.manifest(access.image)
        self.check_entry(access)
        facts = manifest["renditions"][rendition]
        stored = self._read_stored(access.image, rendition, facts)
        return Opened(stored, self.content_key_for(access), facts["media_type"])

    def description(self, access: Access) -> Body:
        """Return caption, file name, dimensions and what else was sealed beside the picture."""
        with _step("description"):
            return json.loads(self.open(access, Rendition.Name.DESCRIPTION).plaintext())

    # (2), (3)
    def _check_own_key(self, access: Access) -> None:
        """Check that the reader's own key is certified as theirs. Of what waits there is none."""
        wrapped = access.grant.wrapped_key
        if wrapped is None or self._is_out_of_reach(wrapped):
            return
        if wrapped.key_pair_id not in self._certified_pairs:
            with _step("own-certificate"):
                verified_encryption_key(wrapped.key_pair)
            self._certified_pairs.add(wrapped.key_pair_id)

    def manifest(self, image: SealedImage) -> Body:
        """Return the verified manifest of the image's present lock."""
        manifest = self.head(MANIFEST, image)
        if manifest["lock"] != image.lock:
            raise Altered("manifest-lock")
        return manifest

    def head(self, kind: str, image: SealedImage) -> Body:
        """Return the newest statement of this kind about the image, its signature verified."""
        if (kind, image.pk) not in self._bodies:
            self._bodies[kind, image.pk] = self._verified_head(kind, image)
        return self._bodies[kind, image.pk]

    def _verified_head(self, kind: str, image: SealedImage) -> Body:
        head = self._heads.get((kind, image.pk)) or head_of(kind, image.pk)
        if head is None:
            raise Altered(f"{kind}-missing")
        with _step("certificate"):
            claimed = statements.parse(kind, bytes(head.body))
            pair, owner_key = self._owner_key(image.owner_id, claimed["key"])
        with _step(kind):
            body, signature = bytes(head.body), bytes(head.signature)
            verified = statements.verify_statement(kind, body, signature, owner_key)
        if pair.compromised_at and not saw_before(pair.compromised_at, head, image):
            raise Altered("compromised-key")
        return _about(verified, image, sequence=head.sequence)

    def _owner_key(self, owner_id: uuid.UUID, fingerprint: str) -> tuple[KeyPair, RsaKey]:
        if (owner_id, fingerprint) not in self._signing_keys:
            pair = KeyPair.objects.filter(
                user_id=owner_id, purpose=KeyPair.Purpose.SIGNING, fingerprint=fingerprint
            ).first()
            if pair is None:
                raise Altered("certificate")
            self._signing_keys[owner_id, fingerprint] = pair, verified_signing_key(pair)
        return self._signing_keys[owner_id, fingerprint]

    # (4)
    def check_entry(self, access: Access) -> None:
        """Check that the owner's newest share statement lists this reader, with these rights."""
        if access.grant.reader_id != access.reader.pk or not self.is_signed(access.grant):
            raise Altered("entry")
        if access.grant.ends_at is not None and access.grant.ends_at <= timezone.now():
            raise Altered("entry-ended")

    def is_signed(self, grant: Grant) -> bool:
        """Whether the owner's newest share statement says what this row says."""
        signed = self.head(SHARE, grant.image)["entries"]
        try:
            entry = entries.parse_entry(bytes(grant.entry))
            digest = entries.entry_digest(bytes(grant.entry), bytes(grant.salt))
        except CryptoError:
            return False
        said = (entry.person, entry.rights, entry.ends_at)
        return digest in signed and said == (grant.reader_id, grant.rights, grant.ends_at)

    # (5)
    def _read_stored(self, image: SealedImage, rendition: str, facts: Body) -> bytes:
        """Return the stored bytes, read once: their length and digest are the signed ones."""
        name = self._storage_name(image, rendition)
        stored = storage.read(name, at_most=facts["length"]) if name else None
        if stored is None:
            raise Altered("stored-missing")
        if len(stored) != facts["length"]:
            raise Altered("stored-length")
        if not secrets.compare_digest(statements.digest(stored), facts["sha256"]):
            raise Altered("stored-digest")
        return stored

    def _storage_name(self, image: SealedImage, rendition: str) -> str | None:
        if (image.pk, rendition) in self._storage_names:
            return self._storage_names[image.pk, rendition]
        rows = image.renditions.filter(name=rendition)
        return rows.values_list("storage_name", flat=True).first()

    # (6), (7)
    @sensitive_variables()
    def content_key_for(self, access: Access) -> bytes:
        """Return the image's content key for this reader: the only way to it."""
        wrapped = access.grant.wrapped_key
        if wrapped is None or self._is_out_of_reach(wrapped):
            raise Waiting(access.is_owner)
        self._check_own_key(access)  # whoever asks for the content key alone comes straight here
        self._check_place(wrapped, access)
        content_key = self._by_quick_key(wrapped) if wrapped.quick_key else None
        if content_key is None or not self._is_committed(content_key, access.image):
            content_key = self._by_private_key(wrapped)
            if not self._is_committed(content_key, access.image):
                raise Altered("commitment")
            self._keep_quick_key(wrapped, content_key)
        return content_key

    def _is_out_of_reach(self, wrapped: WrappedKey) -> bool:
        """Whether the key pair it is wrapped to is from before the reader's new start."""
        return wrapped.key_pair.master_key_version < self._keyring.version

    def _check_place(self, wrapped: WrappedKey, access: Access) -> None:
        if wrapped.subject != access.image.pk or wrapped.lock != access.image.lock:
            raise Altered("wrapped-key")
        if wrapped.key_pair.user_id != access.reader.pk:
            raise Altered("wrapped-key")

    @sensitive_variables()
    def _by_quick_key(self, wrapped: WrappedKey) -> bytes | None:
        """Return what the cache holds, or None: it is only a cache, RSA decides."""
        quick_key = bytes(wrapped.quick_key or b"")
        try:
            return self._keyring.unwrap_quick_key(
                quick_key, subject=wrapped.subject, lock=wrapped.lock
            )
        except CryptoError:
            return None

    @sensitive_variables()
    def _by_private_key(self, wrapped: WrappedKey) -> bytes:
        pair = wrapped.key_pair
        label = content_key_label(pair, subject=wrapped.subject, lock=wrapped.lock)
        with _step("wrapped-key"):
            return self._keyring.unwrap_content_key(wrapped, label=label)

    @sensitive_variables()
    def _is_committed(self, content_key: bytes, image: SealedImage) -> bool:
        computed = content.key_commitment(
            content_key, image_id=image.pk, owner_id=image.owner_id, lock=image.lock
        )
        signed = bytes.fromhex(self.manifest(image)["key_commitment"])
        return secrets.compare_digest(computed, signed)

    @sensitive_variables()
    def _keep_quick_key(self, wrapped: WrappedKey, content_key: bytes) -> None:
        quick_key = self._keyring.wrap_quick_key(
            content_key, subject=wrapped.subject, lock=wrapped.lock
        )
        WrappedKey.objects.filter(pk=wrapped.pk).update(quick_key=quick_key)


def settled(opener: Opener, access: Access, act: Callable[[Access], Result]) -> Result:
    """Return `act(access)`, begun anew where an act of the owner came between its reads.

    What looks altered because half of it was read before a re-lock and half after is not. Raises
    what `act` raises, and AccessEnded if it was this reader's access that was ended.
    """
    while True:
        try:
            return act(access)
        except Altered:
            newer = moved_on(access)
            if newer is None:
                raise
            opener.forget(access.image.pk)
            access = newer


def moved_on(access: Access) -> Access | None:
    """Return the reader's present access if the image or the grant changed, else None."""
    newer = access_to(access.image.pk, reader=access.reader)
    same_lock = newer.image.lock == access.image.lock
    return None if same_lock and newer.grant.salt == access.grant.salt else newer


def _about(body: Body, image: SealedImage, *, sequence: int) -> Body:
    """Return a verified body if it is about this image, by its owner, in its place."""
    expected = {
        "instance": str(settings.SERVER_KEYS.instance_id),
        "subject": str(image.pk),
        "signer": str(image.owner_id),
        "sequence": sequence,
    }
    if any(body[name] != value for name, value in expected.items()):
        raise Altered(body["kind"])
    return body
