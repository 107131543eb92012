"""Invitations that carry a share: a link with which somebody makes an account and can open at once
what was shared with them before.

Nothing of the link is kept but its SHA-256. Name and address are encrypted under the invitation's
key, which the link opens, and its inviter.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.fields import RawBytesField
from gallery.models.circles import Circle
from gallery.models.images import Listed, SealedImage

MOST_WRONG_CODES = 10


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        return self.filter(used_at=None, taken_back_at=None, ends_at__gt=timezone.now())


class Invitation(models.Model):
    """One link. `person`: the id that its person's account will have, so that what the inviter
    signs names them already.

    What the row says of its own link, key and end proves nothing: gallery/invitation_trail.py.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        USED = "used", _("used")
        ENDED = "ended", _("ended")
        TAKEN_BACK = "taken-back", _("taken back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="invitations"
    )
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    # Name and e-mail address, under a key derived from the invitation's.
    details = RawBytesField()
    # The invitation's key under what the link holds, and a spoken code if there is one.
    link_wrapped = RawBytesField(null=True)
    # The same key for the inviter, who may share more before the link is used.
    wrapped_key = models.OneToOneField("accounts.WrappedKey", models.SET_NULL, null=True)
    # Argon2id over a spoken code; empty without one.
    code_salt = RawBytesField(null=True)
    time_cost = models.PositiveIntegerField(null=True)
    memory_kib = models.PositiveIntegerField(null=True)
    parallelism = models.PositiveIntegerField(null=True)
    wrong_codes = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    taken_back_at = models.DateTimeField(null=True)
    # Somebody who has an account already followed the link; the inviter decides.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="claims", null=True
    )
    claimed_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [models.Index(fields=["inviter", "-made_at"])]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def owner_id(self) -> uuid.UUID:
        """Whose it is, as of an image or a circle."""
        return self.inviter_id

    @property
    def state(self) -> State:
        if self.used_at:
            return self.State.USED
        if self.taken_back_at:
            return self.State.TAKEN_BACK
        return self.State.OPEN if self.ends_at > timezone.now() else self.State.ENDED


class InvitedGrant(Listed):
    """What an invitation carries: access to one image, or to one circle, of its person to be.

    `wrapped`: the content key of `lock`, or the circle's key of that epoch, under the invitation's
    key; empty while it waits for the owner, and once it has ended.
    """

    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="grants")
    image = models.ForeignKey(SealedImage, models.PROTECT, related_name="invited", null=True)
    circle = models.ForeignKey(Circle, models.PROTECT, related_name="invited", null=True)
    lock = models.PositiveIntegerField()
    wrapped = RawBytesField(null=True)

    class Meta:
        # Asked for at every page of somebody unlocked.
        indexes = [
            models.Index(
                fields=["invitation", "ends_at"],
                condition=Q(ended_at=None),
                name="live_invited_grants",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "image"],
                condition=Q(ended_at=None),
                name="one_live_invited_grant_per_image",
            ),
            models.UniqueConstraint(
                fields=["invitation", "circle"],
                condition=Q(ended_at=None),
                name="one_live_invited_grant_per_circle",
            ),
        ]

    @property
    def holder(self) -> tuple[str, uuid.UUID]:
        return "person", self.invitation.person

    @property
    def is_over(self) -> bool:
        """Whether the row says that its invitation opens nothing any more."""
        return self.invitation.state != Invitation.State.OPEN

    @property
    def list_of(self) -> SealedImage | Circle:
        listed = self.image or self.circle
        if listed is None:
            raise ValueError("of an image or of a circle")
        return listed

    @property
    def list_kind(self) -> str:
        return "share" if self.image_id else "membership"
