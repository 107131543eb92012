"""Notices to people, and how many they were sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.fields import RawBytesField


class Notice(models.Model):
    """One message to one person. The body's tag is checked whenever it is shown."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    sequence = models.PositiveIntegerField()
    body = RawBytesField()
    tag = RawBytesField()
    mac_epoch = models.PositiveIntegerField()
    created_at = models.DateTimeField(_("sent"))
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [
            models.Index(fields=["-created_at", "-id"]),
            # Counted for every page a person sees.
            models.Index(fields=["person"], condition=Q(read_at=None), name="unread_notices"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["person", "sequence"], name="one_notice_per_sequence")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.sequence}"


class NoticeHead(models.Model):
    """How many notices a person was sent, with a tag: a deleted last notice leaves a gap too."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_head", primary_key=True
    )
    sequence = models.PositiveIntegerField()
    tag = RawBytesField()
    mac_epoch = models.PositiveIntegerField()
