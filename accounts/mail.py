"""Telling a person by mail, where the installation sends any and they gave an address."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.utils import translation
from django.utils.functional import Promise

from accounts.models import User

alarm = logging.getLogger("imageshare.alarm")


def sends_mail() -> bool:
    return settings.EMAIL_BACKEND != "django.core.mail.backends.dummy.EmailBackend"


def in_language_of(person: User) -> translation.override:
    """Whoever causes a mail may read another language than the person who gets it."""
    known = person.language in dict(settings.LANGUAGES)
    return translation.override(person.language if known else settings.LANGUAGE_CODE)


def tell(person: User, subject: str | Promise, text: str | Promise, **facts: object) -> bool:
    """Send a short mail, if that is possible: nothing depends on its arrival. Return whether a
    server took it.

    `facts` are put into the text, `site` with them: lazy texts are said in the person's language.
    It names no image and nobody else: every server that carries a mail can read it.
    """
    if not (person.email and sends_mail()):
        return False
    with in_language_of(person):
        said = str(text) % {"site": settings.SITE_URL, **facts}
        sent = send(person.email, str(subject), said)
    if not sent:
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
