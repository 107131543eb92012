"""A reset by mail: it lets a person sign in again, and opens nothing.

The key slots are left alone. So a stolen mailbox gives access to names and times, and to no image:
the keys come back with the earlier password, the recovery code, or after a new start's wait.
"""

import uuid

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.erasure import truncate_write_ahead_log
from accounts.mail import tell
from accounts.models import User
from accounts.services.acts import account_act
from accounts.unlocks import end_unlocks
from audit.events import Event, record


class LinkGone(Exception):
    """This link can no longer set a password."""


@sensitive_variables()
def send_reset_link(*, username: str) -> None:
    """Mail a link to the person of this name, if there is one who gave an address."""
    person = User.objects.filter(username=username, is_active=True).exclude(email="").first()
    if person is None:
        return
    record(Event.ACCOUNT_RESET_ASKED, actor=None, subject=person.pk)
    token = default_token_generator.make_token(person)
    link = settings.SITE_URL.rstrip("/") + reverse("accounts:reset", args=[person.pk, token])
    sentence = _(
        "Somebody asked for a new password for %(username)s at %(site)s. If it was you, open this "
        "within an hour:\n\n%(link)s\n\nIt lets you sign in. To open your images you need your "
        "earlier password or your recovery code. If it was not you, do nothing."
    )
    tell(person, _("A new password"), sentence, username=person.username, link=link)


@sensitive_variables()
def person_of_link(person_id: uuid.UUID, token: str) -> User | None:
    """Return whose link this is, while it holds: once, and for PASSWORD_RESET_TIMEOUT."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    return person if person and default_token_generator.check_token(person, token) else None


@sensitive_variables()
def set_password_by_mail(*, user: User, token: str, new_password: str) -> None:
    """Set the password that signs in; every session ends, and no key slot is touched.

    Raises LinkGone if the link was used, or the password changed, meanwhile.
    """
    user.set_password(new_password)
    with account_act(Event.ACCOUNT_PASSWORD_RESET, user):
        with transaction.atomic():
            held = User.objects.select_for_update().get(pk=user.pk)
            if not default_token_generator.check_token(held, token):
                raise LinkGone
            user.save(update_fields=["password"])
            end_unlocks(user)
        truncate_write_ahead_log()
    text = _("The password was reset by e-mail at %(site)s. Your keys stay locked.")
    tell(user, _("Your password was reset"), text)
