"""How somebody wants to be told by mail about their notices."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class MailChoice(models.Model):
    """One person's choice, and how far their notices were mailed. Without a row: soon."""

    class How(models.TextChoices):
        SOON = "soon", _("within ten minutes, several notices in one mail")
        DAILY = "daily", _("once a day")
        OFF = "off", _("never")

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_choice", primary_key=True
    )
    how = models.CharField(max_length=8, choices=How, default=How.SOON)
    mailed_up_to = models.PositiveIntegerField(default=0)
    # Whoever sends to this person holds it until then; a process that died lets go by itself.
    lease_ends_at = models.DateTimeField(null=True)
