"""One image: its statements, its readers, its keys, its stored bytes."""

import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from django.utils import timezone

from accounts.models import WrappedKey
from audit.unreadable import unreadable_columns
from cryptocore import entries
from cryptocore.errors import CryptoError
from gallery import storage
from gallery.acknowledgements import Receipt, acknowledged_by
from gallery.errors import Altered
from gallery.heads import Body, Heads, is_unbroken
from gallery.image_trail import deletions_without_end
from gallery.members import put_out
from gallery.models import (
    Ended,
    Grant,
    Listed,
    Placement,
    Rendition,
    Row,
    SealedImage,
    Statement,
    SuccessorKey,
)
from gallery.sealing import MANIFEST, SHARE
from gallery.verification.findings import Finding, Kind

# What Django, or a context, makes of a value that is none of its kind.
UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError)


class ImageCheck:
    """Checks images, some at a time. `reads_bytes`: compare digests, otherwise only lengths."""

    def __init__(self, image_ids: Collection[uuid.UUID], *, reads_bytes: bool) -> None:
        self._reads_bytes = reads_bytes
        self._heads = Heads()
        self._heads.prepare(image_ids)
        self._begun = deletions_without_end(image_ids)

    def check(self, image_id: uuid.UUID) -> Iterator[Finding]:
        """Yield what is wrong. Raises TrailAway, StorageAway or django.db.Error."""
        try:
            image = SealedImage.objects.filter(pk=image_id).first()
            if image is None:  # found by its entries in the trail
                return
            is_deleted = self._heads.is_deleted(image_id)
            if image.deleted_at is not None or is_deleted:
                yield from _check_deleted(image, is_deleted=is_deleted)
            else:
                yield from self._check_image(image)
        except UNREADABLE:
            yield Finding(Kind.UNREADABLE, image_id)

    def _check_image(self, image: SealedImage) -> Iterator[Finding]:
        if image.pk in self._begun:
            yield Finding(Kind.WITHOUT_END, image.pk)
        rows = (*image.grants.all(), *image.placements.all(), *image.renditions.all())
        for row in (image, *rows, *SuccessorKey.objects.filter(image=image)):
            if columns := unreadable_columns(row):
                yield Finding(Kind.UNREADABLE, image.pk, f"{row._meta.model_name}: {columns[0]}")
        try:
            manifest, share = self._heads.manifest(image), self._heads.head(SHARE, image)
        except Altered as altered:
            yield Finding(Kind.HEAD, image.pk, altered.step)
            return
        yield from self._check_earlier(image)
        yield from self._check_readers(image, share)
        yield from _check_wrapped_keys(image)
        yield from _check_acknowledgements(image)
        yield from self._check_stored(image, manifest)

    def _check_earlier(self, image: SealedImage) -> Iterator[Finding]:
        for kind in (SHARE, MANIFEST):
            if not is_unbroken(self._heads.newest(kind, image)):
                yield Finding(Kind.EARLIER, image.pk, kind)
        shares: set[str] = set()
        rows = Statement.objects.filter(subject=image.pk).order_by("-kind", "sequence")
        for row in rows.iterator():  # the share statements first
            try:
                body = self._heads.verified_then(row.kind, image, row)
            except Altered as altered:
                yield Finding(Kind.EARLIER, image.pk, f"{row.kind} {row.sequence}: {altered.step}")
                continue
            if row.kind == SHARE:
                shares.add(row.digest)
            elif "share" in body and body["share"] not in shares:
                yield Finding(Kind.SHARE_OF_MANIFEST, image.pk, f"manifest {row.sequence}")

    def _check_readers(self, image: SealedImage, share: Body) -> Iterator[Finding]:
        rows: list[Row] = [
            *image.grants.select_related("image"),
            *image.placements.select_related("image", "circle"),
            *image.invited.select_related("image", "invitation"),
        ]
        for row in rows:
            if row.ended_at is None and not self._heads.is_signed(row):
                yield Finding(Kind.READER_UNSIGNED, image.pk, "{} {}".format(*row.holder))
        placements = [row for row in rows if isinstance(row, Placement)]
        if missing := missing_of(share, [*filter(stands, rows), *put_out(placements)]):
            yield Finding(Kind.READER_GONE, image.pk, f"{missing} of them")

    def _check_stored(self, image: SealedImage, manifest: Body) -> Iterator[Finding]:
        rows = list(image.renditions.order_by("name"))
        if sorted(row.name for row in rows) != sorted(Rendition.Name.values):
            yield Finding(Kind.RENDITIONS, image.pk)
            return
        if image.stored_bytes != sum(one["length"] for one in manifest["renditions"].values()):
            yield Finding(Kind.SIZE, image.pk)
        for row in rows:
            signed = manifest["renditions"][row.name]
            measured = storage.measure(row.storage_name, digest=self._reads_bytes)
            if measured is None:
                yield Finding(Kind.STORED_GONE, image.pk, row.name)
                continue
            length, digest = measured
            if length != signed["length"] or digest not in (None, signed["sha256"]):
                yield Finding(Kind.STORED_ALTERED, image.pk, row.name)


def _check_deleted(image: SealedImage, *, is_deleted: bool) -> Iterator[Finding]:
    if not is_deleted:
        yield Finding(Kind.DELETED, image.pk)
    left = {
        "image": image.deleted_at is None,
        "renditions": image.renditions.exists(),
        "wrapped keys": WrappedKey.objects.filter(subject=image.pk).exists(),
        "key for successors": SuccessorKey.objects.filter(image=image).exists(),
        "readers": any(
            rows.filter(ended_at=None).exists()
            for rows in (image.grants, image.placements, image.invited)
        ),
    }
    for what in (name for name, is_there in left.items() if is_there):
        yield Finding(Kind.NOT_DELETED, image.pk, what)


def missing_of(signed: Body, rows: Iterable[Row]) -> int:
    """Return how many of the signed entries are in none of these rows."""
    missing = set(signed["entries"])
    for row in rows:
        with suppress(CryptoError):
            missing.discard(entries.entry_digest(bytes(row.entry), bytes(row.salt)))
    return len(missing)


def stands(grant: Listed) -> bool:
    """Whether a row says that this access holds, or was over at the time its owner signed."""
    if grant.ended_at is None:
        return True
    is_over = grant.ends_at is not None and grant.ends_at <= timezone.now()
    return is_over and grant.ended_reason == Ended.TIME


def _check_acknowledgements(image: SealedImage) -> Iterator[Finding]:
    for reader, acknowledged in acknowledged_by(image).items():
        if acknowledged.state != Receipt.GENUINE:
            yield Finding(Kind.ACKNOWLEDGEMENT, image.pk, f"person {reader}")


def _check_wrapped_keys(image: SealedImage) -> Iterator[Finding]:
    """Those of the current lock, each its reader's own; nothing older is left."""
    keys = WrappedKey.objects.filter(subject=image.pk).select_related("key_pair", "grant")
    linked = Grant.objects.filter(image=image, wrapped_key__isnull=False, ended_at=None)
    readers = dict(linked.values_list("wrapped_key", "reader"))
    for key in keys:
        fits = key.lock == image.lock and readers.pop(key.pk, None) == key.key_pair.user_id
        if not fits:
            yield Finding(Kind.WRAPPED_KEY, image.pk, f"person {key.key_pair.user_id}")
    for reader in readers.values():  # theirs is another image's
        yield Finding(Kind.WRAPPED_KEY, image.pk, f"person {reader}")
