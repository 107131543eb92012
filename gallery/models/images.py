"""Sealed images, what is signed about them, and the people who may open them.

No column holds anything of a picture: caption, file name and dimensions are content, encrypted
with it. What a row says about access is an index; the signed statement is what counts.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.fields import RawBytesField
from cryptocore import statements


class SealedImage(models.Model):
    """One image of one owner, under its current lock. A deleted one stays as an empty row, so that
    people who could open it can be notified."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="images")
    lock = models.PositiveIntegerField(default=1)
    stored_bytes = models.PositiveBigIntegerField()
    sealed_at = models.DateTimeField(_("sealed"))
    deleted_at = models.DateTimeField(null=True)
    # When the image is deleted by itself. An index: the trail says what the owner chose.
    keep_until = models.DateTimeField(null=True)
    # After a reader's time is over: when the image is due to be encrypted again.
    relock_after = models.DateTimeField(null=True)
    # A retried upload finds what its first try made.
    upload_id = models.UUIDField(null=True)
    upload_index = models.PositiveIntegerField(null=True)

    list_kind = "share"

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        indexes = [
            models.Index(fields=["owner", "-sealed_at"]),
            models.Index(fields=["-sealed_at", "id"]),
            models.Index(
                fields=["owner"],
                condition=Q(relock_after__isnull=False),
                name="images_to_relock",
            ),
            # Asked for at every page of an owner unlocked.
            models.Index(
                fields=["owner", "keep_until"],
                condition=Q(keep_until__isnull=False, deleted_at=None),
                name="images_kept_until",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "upload_id", "upload_index"], name="one_image_per_uploaded_file"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Rendition(models.Model):
    """Where the encrypted bytes of one rendition are stored, under a random name."""

    class Name(models.TextChoices):
        ORIGINAL = "original", _("original")
        PREVIEW = "preview", _("preview")
        THUMBNAIL = "thumbnail", _("thumbnail")
        DESCRIPTION = "description", _("description")

    image = models.ForeignKey(SealedImage, models.CASCADE, related_name="renditions")
    name = models.CharField(max_length=16, choices=Name)
    storage_name = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="one_of_each_name")]


class Statement(models.Model):
    """One signed statement about an image: its exact bytes and its owner's signature."""

    kind = models.CharField(max_length=16)
    subject = models.UUIDField()
    sequence = models.PositiveIntegerField()
    body = RawBytesField()
    signature = RawBytesField()

    class Meta:
        # The subject first: all about sixty images is asked for at once, and found by its index.
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind", "sequence"], name="one_statement_per_sequence"
            )
        ]

    @property
    def digest(self) -> str:
        """The SHA-256 of the body, in hex: what the next statement calls `previous`."""
        return statements.digest(bytes(self.body))


class Rights(models.TextChoices):
    VIEW = "view", _("view")
    DOWNLOAD = "download", _("view and download")


class Ended(models.TextChoices):
    REVOKED = "revoked", _("the owner ended it")
    TIME = "ended", _("its time was over")
    DELETED = "deleted", _("it was deleted")
    LEFT = "left", _("they left the team")
    TAKEN_OVER = "taken-over", _("a successor took it over")


class Listed(models.Model):
    """One line of a signed list: a row that gives somebody access to an image, or to a circle.

    `entry` and `salt` are what the newest statement (`list_kind`) about its `list_of` covers; the
    other columns repeat it for queries, and prove nothing.
    """

    Rights = Rights
    Ended = Ended

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = RawBytesField()
    salt = RawBytesField()
    rights = models.CharField(max_length=16, choices=Rights)
    ends_at = models.DateTimeField(null=True)
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=16, choices=Ended, blank=True)

    class Meta:
        abstract = True

    @property
    def holder(self) -> tuple[str, uuid.UUID]:
        """Who has this access: the kind, as an entry names it, and the id."""
        raise NotImplementedError


class Grant(Listed):
    """One person's access to one image."""

    image = models.ForeignKey(SealedImage, models.PROTECT, related_name="grants")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="grants")
    # Whose the image is, once more, so that lists look at no image to find out. Nobody signs it: a
    # grant whose owner is not its image's counts as altered (`is_signed` in gallery/heads.py).
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    # Empty once access has ended, and while a reader's key is waited for.
    wrapped_key = models.OneToOneField("accounts.WrappedKey", models.SET_NULL, null=True)
    # Of which end its reader and its owner were reminded: an end that is moved is another one.
    reminded_of = models.DateTimeField(null=True)

    list_kind = "share"

    class Meta:
        # All that a list sorts, skips and counts by, in its order: no row is looked at for it.
        indexes = [
            models.Index(
                fields=["reader", "-granted_at", "id", "ends_at"],
                condition=Q(ended_at=None) & ~Q(owner=F("reader")),
                name="grants_shared_with_me",
            ),
            models.Index(
                fields=["reader", "-granted_at", "id", "ends_at"],
                condition=Q(ended_at=None, owner=F("reader")),
                name="grants_of_mine",
            ),
            # Whom an owner gave access lately.
            models.Index(fields=["owner", "-granted_at", "reader"], name="grants_given_lately"),
            # How many images of others somebody was ever given.
            models.Index(fields=["reader", "owner"], name="grants_by_reader_and_owner"),
            # Few, and asked for on every page of your own images.
            models.Index(
                fields=["image"],
                condition=Q(wrapped_key=None, ended_at=None),
                name="grants_without_a_key",
            ),
            # Asked for at every page of somebody unlocked.
            models.Index(
                fields=["ends_at"],
                condition=Q(ended_at=None, ends_at__isnull=False),
                name="grants_that_end",
            ),
            models.Index(
                fields=["owner", "ends_at"],
                condition=Q(ended_at=None, ends_at__isnull=False),
                name="grants_that_end_by_owner",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "reader"],
                condition=Q(ended_at=None),
                name="one_live_grant_per_reader",
            )
        ]

    @property
    def holder(self) -> tuple[str, uuid.UUID]:
        return "person", self.reader_id

    @property
    def list_of(self) -> SealedImage:
        return self.image
