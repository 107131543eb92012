"""Opening: from stored bytes to a picture, failing closed.

The steps, as docs/format.md numbers them. (1), who may ask at all, is gallery/access.py.

  (2) both people's keys are certified            (5) stored length and digest are the signed ones
  (3) the owner signed the manifest               (6) the content key opens for this reader
  (4) the newest share statement lists the reader (7) the content key is the committed one
      (the newest is what the trail vouches for)  (8) the same bytes are decrypted: stored.py

After (4) the reader's list of compared contacts is asked about the signer (gallery/signers.py).
Through an album or a team (4) and (6) are done twice: for the circle by its owner's list of members
and its key (gallery/circle_keys.py), and for the image by its own owner's list, which names the
circle; through a team that is a member of an album three times.

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
from accounts.keys.names import Name, certified_name
from accounts.models import User
from cryptocore import content
from gallery.access import Access, Through, access_to
from gallery.beside import key_in
from gallery.circle_keys import CircleOpener
from gallery.errors import AccessEnded, Altered, Suspended, Waiting
from gallery.heads import Body, Heads, is_unbroken, step
from gallery.models import Grant, Member, Rendition, SealedImage, Statement
from gallery.sealing import MANIFEST, SHARE
from gallery.signers import Assessment
from gallery.stored import Stored, verified

Result = TypeVar("Result")


@dataclass(frozen=True)
class Opened:
    """One rendition, verified and ready to be decrypted. Never prints bytes or keys."""

    stored: Stored = field(repr=False)
    content_key: bytes = field(repr=False)
    media_type: str
    length_bytes: int

    @property
    def tag(self) -> str:
        """The ETag (RFC 9110 section 8.8.3): other bytes, or another lock, have another one."""
        return f'"{self.stored.digest[:32]}"'

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the picture, or its bytes from `start` up to `stop`, in pieces of at most 256 KiB.

        Raises Altered or StorageAway between two pieces: what is stored is read a second time.
        """
        stop = self.length_bytes if stop is None else stop
        pieces, begin = self.stored.pieces(start)
        return content.decrypt_part(
            pieces, self.content_key, skip=start - begin, length=stop - start
        )

    def plaintext(self) -> bytes:
        return b"".join(self.chunks())


class Opener(CircleOpener):
    """Opens images for one reader, within one request: each check is done once and remembered.

    (2), (3) and which statements are the newest: gallery/heads.py; (6), (7): gallery/unwrapping.py.
    """

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring)
        self._storage_names: dict[tuple[uuid.UUID, str], str] = {}

    def prepare(self, subjects: Collection[uuid.UUID]) -> None:
        """Fetch what opening these images, and of their owners, will ask for: a page of sixty costs
        five queries."""
        super().prepare(subjects)
        for row in Rendition.objects.filter(image_id__in=subjects):
            self._storage_names[row.image_id, row.name] = row.storage_name

    def forget(self, subject: uuid.UUID) -> None:
        super().forget(subject)
        for name in Rendition.Name.values:
            self._storage_names.pop((subject, name), None)

    def open(self, access: Access, rendition: str) -> Opened:
        """Return one rendition of an image. Raises Altered, Suspended, Waiting, StorageAway or
        TrailAway."""
        self.check_own_key(access.wrapped_key)
        manifest = self.manifest(access.image)
        self.check_entry(access)
        self._signers.check(access.image.owner, self._keys_of(access.image))
        facts = manifest["renditions"][rendition]
        stored = self._stored(access.image, rendition, facts)
        content_key = self.content_key_for(access)
        with step("padding"):
            length = content.plaintext_length(stored.length, stored.end, content_key)
        return Opened(stored, content_key, facts["media_type"], length)

    def description(self, access: Access) -> Body:
        """Return caption, file name, dimensions and what else was sealed beside the picture."""
        with step("description"):
            body: Body = json.loads(self.open(access, Rendition.Name.DESCRIPTION).plaintext())
            return body

    # (4)
    def check_entry(self, access: Access) -> None:
        """Check that the owner's newest share statement lists this reader, with these rights; or
        an album or a team, and that circle's newest list of members this reader.

        Raises AccessEnded if their time ended after they were authorised: nothing is altered then;
        and Suspended.
        """
        row = access.way.placement if isinstance(access.way, Through) else access.way
        if isinstance(row, Grant) and row.reader_id != access.reader.pk:
            raise Altered("entry")
        if not self.is_signed(row):
            raise Altered("entry")
        if not access.is_owner and self.are_readers_suspended(access.image.owner_id):
            raise Suspended(access.image.owner)
        dates = [row.ends_at, None if access.is_owner else access.image.keep_until]
        if any(date is not None and date <= timezone.now() for date in dates):
            raise AccessEnded(row)
        if isinstance(access.way, Through):
            if access.way.member.circle_id != access.way.placement.circle_id:
                raise Altered("member")
            self.check_member(access.way.member)

    def signer_of(self, image: SealedImage) -> Assessment:
        """Return what to say about the signer. Raises OtherSigner."""
        return self._signers.assess(image.owner, self._keys_of(image))

    def sealed_by(self, image: SealedImage) -> Name | None:
        """Return who sealed an image that somebody else has taken over since: their manifest is
        kept, and verified. None if nobody has. Raises Altered or TrailAway."""
        if not self.is_taken_over(image):
            return None
        first = Statement.objects.filter(kind=MANIFEST, subject=image.pk, sequence=1).first()
        if not is_unbroken(self.newest(MANIFEST, image)) or first is None:
            raise Altered("manifest-chain")
        sealer = uuid.UUID(self.verified_then(MANIFEST, image, first)["signer"])
        return None if sealer == image.owner_id else certified_name(User.objects.get(pk=sealer))

    def _keys_of(self, image: SealedImage) -> frozenset[str]:
        return frozenset(self.head(kind, image)["key"] for kind in (MANIFEST, SHARE))

    # (5)
    def _stored(self, image: SealedImage, rendition: str, facts: Body) -> Stored:
        name = self._storage_names.get((image.pk, rendition))
        if name is None:
            rows = image.renditions.filter(name=rendition)
            name = rows.values_list("storage_name", flat=True).first()
        return verified(name or "", length=facts["length"], digest=facts["sha256"])

    # (6), (7)
    @sensitive_variables()
    def content_key_for(self, access: Access) -> bytes:
        """Return the image's content key for this reader: the only way to it."""
        if isinstance(access.way, Through):
            return self._content_key_through(access.way)
        return self.unwrap(
            access.way.wrapped_key,
            of=access.image,
            lock=access.image.lock,
            is_committed=lambda key: self.is_content_key(key, access.image),
        )

    @sensitive_variables()
    def _content_key_through(self, way: Through) -> bytes:
        image, placement = way.placement.image, way.placement
        circle_key = self.circle_key_for(way.member)
        if placement.wrapped is None:
            raise Waiting(is_owner=False, in_album=True)
        if (placement.lock, placement.epoch) != (image.lock, way.member.circle.epoch):
            raise Altered("placement")
        with step("placement"):
            content_key = key_in(placement, circle_key)
        if not self.is_content_key(content_key, image):
            raise Altered("commitment")
        return content_key

    @sensitive_variables()
    def is_content_key(self, content_key: bytes, image: SealedImage) -> bool:
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
            newer = moved_on(access, opener)
            if newer is None:
                raise
            opener.forget(access.image.pk)
            for row in newer.rows:
                if isinstance(row, Member):
                    opener.forget(row.circle_id)
            access = newer


def moved_on(access: Access, heads: Heads | None = None) -> Access | None:
    """Return the reader's current access if it is not the one that was read, or if these heads are
    not the image's any more; otherwise None."""
    newer = access_to(access.image.pk, reader=access.reader)
    is_behind = heads is not None and heads.is_behind(access.image)
    return newer if is_behind or newer.state != access.state else None
