"""Telling a person by mail, where the installation sends any and they gave an address."""

import logging

from django.conf import settings
from django.core.mail import send_mail

from accounts.models import User

alarm = logging.getLogger("imageshare.alarm")


def sends_mail() -> bool:
    return settings.EMAIL_BACKEND != "django.core.mail.backends.dummy.EmailBackend"


def tell(person: User, subject: str, text: str) -> bool:
    """Send a short mail, if that is possible: nothing depends on its arrival. Return whether a
    server took it.

    It names no image and nobody else: every server that carries a mail can read it.
    """
    if not (person.email and sends_mail()):
        return False
    if not send(person.email, subject, text):
        alarm.error("A mail to person %s was not sent.", person.pk)
        return False
    return True


def send(address: str, subject: str, text: str) -> bool:
    """Send a mail; return whether a mail server took it."""
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
    # smtplib's errors are OSErrors, too; an address that no mail can go to is a ValueError.
    except (OSError, ValueError) as error:
        alarm.error("A mail was not sent: %s.", type(error).__name__)
        return False
    return True
