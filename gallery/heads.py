"""The newest statements about images, as their owners signed them and the trail vouches for them.

An image's list of readers is what its newest share statement says, its bytes what its newest
manifest says. Nothing here opens anything: steps (2) to (4) of docs/format.md, "Opening".
"""

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from accounts.keys.signing_keys import SigningKeys
from audit.events import AuditUnavailable
from cryptocore import entries, statements
from cryptocore.errors import CryptoError
from gallery.errors import Altered
from gallery.image_trail import ImageTrails
from gallery.ledger import TrailAway, saw_before
from gallery.models import Circle, Grant, Row, SealedImage, Statement, Subject
from gallery.sealing import MANIFEST, MEMBERSHIP, SHARE, album_signed, head_of, heads_of

Body = dict[str, Any]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Whatever an attacker can cause in this step is `Altered`, with the step's name."""
    try:
        yield
    # A row that is pointed to may be gone; a media type or a purpose be any text.
    except (CryptoError, KeyError, ValueError, ObjectDoesNotExist):
        raise Altered(name) from None


class Heads:
    """Reads the newest statements about images and circles, within one request: each is checked
    once."""

    def __init__(self) -> None:
        self._keys = SigningKeys()
        self._bodies: dict[tuple[str, uuid.UUID], Body] = {}
        self._heads: dict[tuple[str, uuid.UUID], Statement] = {}
        self._trails = ImageTrails()

    def prepare(self, subjects: Collection[uuid.UUID]) -> None:
        """Fetch the statements about these, with their owners among them the owners' keys, and what
        the trail says of all: four queries."""
        for statement in heads_of(subjects):
            self._heads[statement.kind, statement.subject] = statement
        with suppress(TrailAway, AuditUnavailable):  # each is refused for it by itself
            self._trails.ask(subjects)
            self._keys.prepare(subjects)

    def forget(self, subject: uuid.UUID) -> None:
        """Drop what was read of an image or a circle that has changed meanwhile."""
        for remembered in (self._bodies, self._heads):
            for kind in (MANIFEST, SHARE, MEMBERSHIP):
                remembered.pop((kind, subject), None)
        self._trails.forget(subject)

    def is_behind(self, image: SealedImage) -> bool:
        """Whether the manifest that was read has a later one by now: an edit changes nothing else
        of an access."""
        read, newest = self._heads.get((MANIFEST, image.pk)), head_of(MANIFEST, image.pk)
        return bool(read and newest and newest.sequence > read.sequence)

    # (2), (3)
    def manifest(self, image: SealedImage) -> Body:
        """Return the verified manifest of the image's current lock."""
        manifest = self.head(MANIFEST, image)
        if manifest["lock"] != image.lock:
            raise Altered("manifest-lock")
        # Nobody but the owner lets an image go earlier, or stay longer.
        if not self._trails.allows_date(image):
            raise Altered("keep-until")
        # The list of readers must not be older than this manifest.
        named, signed = manifest.get("share"), self.newest(MANIFEST, image)
        share = self.newest(SHARE, image)
        if named and not self._trails.of(image.pk).allows_together(signed, named, share):
            raise Altered("manifest-share")
        return manifest

    def membership(self, circle: Circle) -> Body:
        """Return the verified membership statement of the circle's current key. Raises Altered."""
        membership = self.head(MEMBERSHIP, circle)
        if (membership["epoch"], membership["circle"]) != (circle.epoch, circle.kind):
            raise Altered("membership-epoch")
        if membership.get("album") != album_signed(circle):
            raise Altered("membership-album")
        return membership

    def head(self, kind: str, subject: Subject) -> Body:
        """Return the newest statement of this kind about the subject: signed by its owner, and
        vouched for by the trail. Raises Altered or TrailAway."""
        if (kind, subject.pk) in self._bodies:
            return self._bodies[kind, subject.pk]
        head = self._heads.get((kind, subject.pk)) or head_of(kind, subject.pk)
        if head is None:
            raise Altered(f"{kind}-missing")
        body = self.verified(kind, subject, head)
        while not self._trails.allows(head):
            self._trails.forget(subject.pk)
            if self._trails.allows(head):  # it was asked before an act came between
                break
            newer = head_of(kind, subject.pk)
            if newer is None or newer.digest == head.digest:
                raise Altered(f"{kind}-not-newest")
            head, body = newer, self.verified(kind, subject, newer)
        self._heads[kind, subject.pk], self._bodies[kind, subject.pk] = head, body
        return body

    def newest(self, kind: str, subject: Subject) -> Statement:
        """Return the row of that statement. Raises as head() does."""
        self.head(kind, subject)
        return self._heads[kind, subject.pk]

    def to_follow(self, kind: str, subject: Subject) -> Statement:
        """Return that row for the owner's next statement to follow, every one before it checked.

        Raises as head() does.
        """
        head = self.newest(kind, subject)
        if not is_unbroken(head):
            raise Altered(f"{kind}-chain")
        return head

    def verified(self, kind: str, subject: Subject, head: Statement) -> Body:
        """Return what a statement says, newest or not: its owner signed it about this subject, in
        this place. Raises Altered or TrailAway."""
        with step("certificate"):
            key = statements.key_named_in(bytes(head.body))
            owner_key = self._keys.key_of(subject.owner_id, key)
        with step(kind):
            body, signature = bytes(head.body), bytes(head.signature)
            verified = statements.verify_statement(kind, body, signature, owner_key)
        since = self._stolen_since(subject.owner_id, key)
        if since and not saw_before(since, head, subject):
            raise Altered("compromised-key")
        expected = {
            "instance": str(settings.SERVER_KEYS.instance_id),
            "subject": str(subject.pk),
            "signer": str(subject.owner_id),
            "sequence": head.sequence,
        }
        if any(verified[name] != value for name, value in expected.items()):
            raise Altered(kind)
        return verified

    def verified_then(self, kind: str, subject: Subject, row: Statement) -> Body:
        """Return what an earlier statement says, signed by whoever was the owner then. Raises as
        verified() does."""
        trail = self._trails.of(subject.pk)
        if former := trail.owner_before(kind, row.sequence):
            subject = copy(subject)
            subject.owner_id = former
        return self.verified(kind, subject, row)

    def _stolen_since(self, owner_id: uuid.UUID, fingerprint: str) -> datetime | None:
        try:
            return self._keys.stolen_since(owner_id, fingerprint)
        except AuditUnavailable:
            raise TrailAway from None

    def is_taken_over(self, image: SealedImage) -> bool:
        """Whether the trail says that a successor took this image over. Raises TrailAway."""
        return self._trails.of(image.pk).is_taken_over

    def former_owner(self, subject: Subject) -> uuid.UUID | None:
        """Return from whom the trail says the present owner took this over. Raises TrailAway."""
        with suppress(Altered):  # takes in an act that is stored, and whose end is not in the trail
            self.head(subject.list_kind, subject)
        return self._trails.of(subject.pk).former_owner(subject.list_kind)

    def is_deleted(self, subject: uuid.UUID) -> bool:
        """Whether the trail remembers that this one was deleted. Raises TrailAway."""
        return self._trails.of(subject).is_deleted

    def are_readers_suspended(self, owner: uuid.UUID) -> bool:
        """Whether the trail says that staff suspended the readers of this owner. Raises
        TrailAway."""
        return self._trails.of(owner).is_suspended

    # (4)
    def is_signed(self, row: Row) -> bool:
        """Whether the owner's newest list says what this row says."""
        if isinstance(row, Grant) and row.owner_id != row.image.owner_id:
            return False
        signed = self.head(row.list_kind, row.list_of)["entries"]
        try:
            entry = entries.parse_entry(bytes(row.entry))
            digest = entries.entry_digest(bytes(row.entry), bytes(row.salt))
        except CryptoError:
            return False
        said = ((entry.kind, entry.holder), entry.rights, entry.ends_at)
        return digest in signed and said == (row.holder, row.rights, row.ends_at)


# ---- the chain -------------------------------------------------------------------------------


def is_unbroken(head: Statement) -> bool:
    """Whether every statement before a verified one is there, each named by the one after it."""
    later = head
    rows = Statement.objects.filter(
        kind=head.kind, subject=head.subject, sequence__lt=head.sequence
    )
    for row in rows.order_by("-sequence").iterator():
        said = statements.parse(later.kind, bytes(later.body))
        if (row.sequence, row.digest) != (later.sequence - 1, said["previous"]):
            return False
        later = row
    return later.sequence == 1
