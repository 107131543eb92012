"""Opening: from stored bytes to a picture, failing closed.

The steps, as docs/format.md numbers them. (1), who may ask at all, is gallery/access.py.

  (2) both people's keys are certified            (5) stored length and digest are the signed ones
  (3) the owner signed the manifest               (6) the content key opens for this reader
  (4) the newest share statement lists the reader (7) the content key is the committed one
      (the newest is what the trail vouches for)  (8) the same buffer is decrypted

After (4) the reader's list of compared contacts is asked about the signer (gallery/signers.py).

Outside there is one answer whichever failed; the trail names the step. No byte of the picture
leaves before (7).
"""

import json
import secrets
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.certificates import verified_encryption_key
from accounts.keys.content_keys import content_key_label
from accounts.models import WrappedKey
from cryptocore import content, statements
from cryptocore.errors import CryptoError
from gallery import storage
from gallery.access import Access, access_to
from gallery.errors import AccessEnded, Altered, Waiting
from gallery.heads import Body, Heads, step
from gallery.models import Rendition, SealedImage
from gallery.sealing import MANIFEST, SHARE
from gallery.signers import Assessment, Signers

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


class Opener(Heads):
    """Opens images for one reader, within one request: each check is done once and remembered.

    (2), (3) and which statements are the newest: gallery/heads.py.
    """

    def __init__(self, keyring: Keyring) -> None:
        super().__init__()
        self._keyring = keyring
        self._storage_names: dict[tuple[uuid.UUID, str], str] = {}
        self._certified_pairs: set[uuid.UUID] = set()
        self._signers = Signers(keyring)

    def prepare(self, image_ids: Collection[uuid.UUID]) -> None:
        """Fetch what opening these images will ask for: a page of sixty costs three queries."""
        super().prepare(image_ids)
        for row in Rendition.objects.filter(image_id__in=image_ids):
            self._storage_names[row.image_id, row.name] = row.storage_name

    def forget(self, image_id: uuid.UUID) -> None:
        super().forget(image_id)
        for name in Rendition.Name.values:
            self._storage_names.pop((image_id, name), None)

    def open(self, access: Access, rendition: str) -> Opened:
        """Return one rendition of an image. Raises Altered, Waiting, StorageAway or TrailAway."""
        with step("own-certificate"):
            self._check_own_key(access)
        manifest = self.manifest(access.image)
        self.check_entry(access)
        self._signers.check(access.image.owner, self._keys_of(access.image))
        facts = manifest["renditions"][rendition]
        stored = self._read_stored(access.image, rendition, facts)
        return Opened(stored, self.content_key_for(access), facts["media_type"])

    def description(self, access: Access) -> Body:
        """Return caption, file name, dimensions and what else was sealed beside the picture."""
        with step("description"):
            body: Body = json.loads(self.open(access, Rendition.Name.DESCRIPTION).plaintext())
            return body

    # (2)
    def _check_own_key(self, access: Access) -> None:
        """Check that the reader's own key is certified as theirs. Of what waits there is none."""
        wrapped = access.grant.wrapped_key
        if wrapped is None or self._is_out_of_reach(wrapped):
            return
        if wrapped.key_pair_id not in self._certified_pairs:
            verified_encryption_key(wrapped.key_pair)
            self._certified_pairs.add(wrapped.key_pair_id)

    # (4)
    def check_entry(self, access: Access) -> None:
        """Check that the owner's newest share statement lists this reader, with these rights.

        Raises AccessEnded if their time ended after they were authorised: nothing is altered then.
        """
        if access.grant.reader_id != access.reader.pk or not self.is_signed(access.grant):
            raise Altered("entry")
        dates = [access.grant.ends_at, None if access.is_owner else access.image.keep_until]
        if any(date is not None and date <= timezone.now() for date in dates):
            raise AccessEnded(access.grant)

    def signer_of(self, image: SealedImage) -> Assessment:
        """Return what to say about the signer. Raises OtherSigner."""
        return self._signers.assess(image.owner, self._keys_of(image))

    def _keys_of(self, image: SealedImage) -> frozenset[str]:
        return frozenset(self.head(kind, image)["key"] for kind in (MANIFEST, SHARE))

    # (5)
    def _read_stored(self, image: SealedImage, rendition: str, facts: Body) -> bytes:
        """Return the stored bytes, read once: their length and digest are the signed ones."""
        name = self._storage_names.get((image.pk, rendition))
        if name is None:
            rows = image.renditions.filter(name=rendition)
            name = rows.values_list("storage_name", flat=True).first()
        stored = storage.read(name, at_most=facts["length"]) if name else None
        if stored is None:
            raise Altered("stored-missing")
        if len(stored) != facts["length"]:
            raise Altered("stored-length")
        if not secrets.compare_digest(statements.digest(stored), facts["sha256"]):
            raise Altered("stored-digest")
        return stored

    # (6), (7)
    @sensitive_variables()
    def content_key_for(self, access: Access) -> bytes:
        """Return the image's content key for this reader: the only way to it."""
        with step("own-certificate"):
            self._check_own_key(access)  # callers that ask only for this key come straight here
        with step("wrapped-key"):
            wrapped = access.grant.wrapped_key
            if wrapped is None or self._is_out_of_reach(wrapped):
                raise Waiting(access.is_owner)
            self._check_place(wrapped, access)
        content_key = self._by_quick_key(wrapped) if wrapped.quick_key else None
        if content_key is None or not self._is_committed(content_key, access.image):
            content_key = self._by_private_key(wrapped)
            if not self._is_committed(content_key, access.image):
                raise Altered("commitment")
            quick_key = self._keyring.wrap_quick_key(
                content_key, subject=wrapped.subject, lock=wrapped.lock
            )
            WrappedKey.objects.filter(pk=wrapped.pk).update(quick_key=quick_key)
        return content_key

    def _is_out_of_reach(self, wrapped: WrappedKey) -> bool:
        """Whether the key pair it is wrapped to is older than the reader's new start."""
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
        with step("wrapped-key"):
            label = content_key_label(pair, subject=wrapped.subject, lock=wrapped.lock)
            return self._keyring.unwrap_content_key(wrapped, label=label)

    @sensitive_variables()
    def _is_committed(self, content_key: bytes, image: SealedImage) -> bool:
        computed = content.key_commitment(
            content_key, image_id=image.pk, owner_id=image.owner_id, lock=image.lock
        )
        signed = bytes.fromhex(self.manifest(image)["key_commitment"])
        return secrets.compare_digest(computed, signed)


def settled(opener: Opener, access: Access, act: Callable[[Access], Result]) -> Result:
    """Return `act(access)`, tried again if an act of the owner came between its reads.

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
    """Return the reader's current access if the image or the grant changed, otherwise None."""
    newer = access_to(access.image.pk, reader=access.reader)
    moves = [(one.image.lock, one.image.keep_until, one.grant.salt) for one in (newer, access)]
    return None if moves[0] == moves[1] else newer
