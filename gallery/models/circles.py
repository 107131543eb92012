"""Circles: people who share one key. An album is one, and holds images; a team is one, too, and so
are the successors whom an owner named.

No column holds a title or a description: they are encrypted under the circle's key. What a row says
about members is an index; the signed statement is what counts.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.fields import RawBytesField
from gallery.models.images import Listed, SealedImage

NOBODY = uuid.UUID(int=0)  # of a row that names neither a person nor a team: nobody signed it


class Circle(models.Model):
    """An album, a team or the successors, of one owner, under its current key. A deleted one stays
    as an empty row, so that former members can be told."""

    class Kind(models.TextChoices):
        ALBUM = "album", _("album")
        TEAM = "team", _("team")
        SUCCESSORS = "successors", _("successors")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="circles")
    epoch = models.PositiveIntegerField(default=1)
    # Title and description, encrypted; their length and digest are signed.
    details = RawBytesField()
    members_add = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    # After a member's time is over: when the circle is due to get its next key.
    rekey_after = models.DateTimeField(null=True)
    # Of successors for one album alone: which one. Signed, too.
    album = models.ForeignKey("self", models.PROTECT, related_name="successors", null=True)

    list_kind = "membership"

    class Meta:
        verbose_name = _("album or team")
        verbose_name_plural = _("albums and teams")
        indexes = [models.Index(fields=["owner", "kind", "-made_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(kind="successors", album=None, deleted_at=None),
                name="one_circle_of_successors",
            ),
            models.UniqueConstraint(
                fields=["owner", "album"],
                condition=Q(kind="successors", deleted_at=None),
                name="one_circle_of_an_albums_successors",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def lock(self) -> int:
        """What an image calls its lock: the number of the key that counts."""
        return self.epoch


class Member(Listed):
    """One person's membership of a circle, or one team's of an album.

    `through`: of a team's row that was read for somebody, that person's own row in the team.
    """

    through: "Member | None" = None
    circle = models.ForeignKey(Circle, models.PROTECT, related_name="members")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships", null=True
    )
    team = models.ForeignKey(Circle, models.PROTECT, related_name="teams_albums", null=True)
    # The circle's key for a person; empty once it has ended, and while a key is waited for.
    wrapped_key = models.OneToOneField("accounts.WrappedKey", models.SET_NULL, null=True)
    # For a team: the circle's key under the team's, of the team's epoch.
    wrapped = RawBytesField(null=True)
    team_epoch = models.PositiveIntegerField(null=True)

    list_kind = "membership"

    class Meta:
        indexes = [
            models.Index(fields=["reader", "ended_at", "-granted_at"], name="members_of_a_list"),
            models.Index(
                fields=["ends_at"],
                condition=Q(ended_at=None, ends_at__isnull=False),
                name="members_that_end",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["circle", "reader"],
                condition=Q(ended_at=None),
                name="one_live_membership_per_reader",
            ),
            models.UniqueConstraint(
                fields=["circle", "team"],
                condition=Q(ended_at=None),
                name="one_live_membership_per_team",
            ),
        ]

    @property
    def holder(self) -> tuple[str, uuid.UUID]:
        if self.team_id is not None:
            return "team", self.team_id
        return "person", self.reader_id or NOBODY

    @property
    def list_of(self) -> Circle:
        return self.circle

    @property
    def rows(self) -> "list[Member]":
        """The rows that all have to hold, the one about this circle first."""
        return [self, self.through] if self.through else [self]

    @property
    def own(self) -> "Member":
        """The reader's own row: what is wrapped to them hangs on it."""
        return self.through or self

    @property
    def is_without_key(self) -> bool:
        return (self.wrapped if self.team_id else self.wrapped_key) is None


class Placement(Listed):
    """One image in one circle: its owner's share statement lists the album or team.

    `wrapped`: the content key of `lock` under the circle's key of `epoch`; empty while it waits for
    the image's owner, and once it has ended.
    """

    circle = models.ForeignKey(Circle, models.PROTECT, related_name="placements")
    image = models.ForeignKey(SealedImage, models.PROTECT, related_name="placements")
    lock = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField()
    wrapped = RawBytesField(null=True)

    list_kind = "share"

    class Meta:
        indexes = [
            models.Index(
                fields=["circle", "ended_at", "granted_at", "id"], name="images_of_a_circle"
            ),
            # Asked for at every page of somebody unlocked.
            models.Index(
                fields=["ends_at"],
                condition=Q(ended_at=None, ends_at__isnull=False),
                name="placements_that_end",
            ),
            models.Index(
                fields=["circle"],
                condition=Q(ended_at=None, wrapped=None),
                name="placements_that_wait",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["circle", "image"],
                condition=Q(ended_at=None),
                name="one_live_placement_per_circle",
            )
        ]

    @property
    def holder(self) -> tuple[str, uuid.UUID]:
        return self.circle.kind, self.circle_id

    @property
    def list_of(self) -> SealedImage:
        return self.image


class SuccessorKey(models.Model):
    """The content key of one image under the key of its owner's successors.

    No list names it, and it opens nothing while the owner is active: gallery/services/successors.py
    asks the trail. Of another lock or epoch than the present ones it is made again. No column is
    believed: the commitment of the image decides which key it is.
    """

    image = models.OneToOneField(
        SealedImage, models.CASCADE, related_name="successor_key", primary_key=True
    )
    circle = models.ForeignKey(Circle, models.CASCADE, related_name="successor_keys")
    lock = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField()
    wrapped = RawBytesField()


class SuccessorCircleKey(models.Model):
    """The same of an album or a team: its key of `epoch` under the key of its owner's successors,
    whose circle is in the place of a team: of those for everything, and of those for this album."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    circle = models.ForeignKey(Circle, models.CASCADE, related_name="handed_over")
    epoch = models.PositiveIntegerField()
    team = models.ForeignKey(Circle, models.CASCADE, related_name="successor_circle_keys")
    team_epoch = models.PositiveIntegerField()
    wrapped = RawBytesField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["circle", "team"], name="one_key_of_a_circle_for_successors"
            )
        ]
