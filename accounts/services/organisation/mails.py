"""The mails to a person about each step of a recovery by the organisation.

They may not be signed in: a page alone would be too late.
"""

from django.utils.translation import gettext_lazy as _

from accounts.mail import tell
from accounts.models import User
from accounts.services.organisation.trail import LASTS


def tell_begun(user: User) -> None:
    text = _(
        "An operator of %(site)s has begun to recover your account with the organisation's "
        "recovery key.\n\nIf you did not ask for this: sign in and change your password, which "
        "ends it. Then ask staff who started it."
    )
    tell(user, _("The recovery of your account has begun"), text)


def tell_taken(user: User) -> None:
    text = _(
        "The recovery of your account at %(site)s goes on: anybody who has its one-time code can "
        "set a new password within %(days)s days.\n\nIf you did not ask for this: sign in and "
        "change your password now, which ends it. Then ask staff who started it."
    )
    tell(user, _("Your account can be recovered with a one-time code"), text, days=LASTS.days)


def tell_recovered(user: User) -> None:
    text = _(
        "Your account at %(site)s was recovered by the organisation. It has a new password and new "
        "keys, and every session ended.\n\nIf this was not you: tell staff at once."
    )
    tell(user, _("Your account was recovered"), text)
