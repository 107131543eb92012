"""What notices somebody wants, and how they are told of them by mail."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class NoticeChoice(models.Model):
    """One person's choice, and how far their notices were mailed. Without a row: soon, and
    none of first openings."""

    class How(models.TextChoices):
        SOON = "soon", _("within ten minutes, several notices in one mail")
        DAILY = "daily", _("once a day")
        OFF = "off", _("never")

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_choice", primary_key=True
    )
    how = models.CharField(max_length=8, choices=How, default=How.SOON)
    # Whether an owner gets a notice when a reader opens an image for the first time.
    first_openings = models.BooleanField(default=False)
    mailed_up_to = models.PositiveIntegerField(default=0)
    # Whoever sends to this person holds it until then; a process that died lets go by itself.
    lease_ends_at = models.DateTimeField(null=True)
