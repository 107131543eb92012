"""The mails to a person when a password or recovery code of theirs changes.

Somebody who knows the password changes it to shut the person out; a page shows that to nobody but
the thief. Nothing depends on a mail's arrival, and a thief of the mailbox learns no secret.
"""

from django.utils.translation import gettext_lazy as _

from accounts.mail import tell
from accounts.models import User


def tell_changed(user: User) -> None:
    text = _(
        "Your password at %(site)s was changed, and every other session ended.\n\nIf this was not "
        "you: set a new one with your recovery code, and tell staff at once."
    )
    tell(user, _("Your password was changed"), text)


def tell_restored(user: User) -> None:
    text = _(
        "Somebody signed in at %(site)s with the password that opens your keys. This password "
        "works again. The newer one, set by e-mail or by an operator, no longer works, and every "
        "other session ended.\n\nIf you did not ask for a new password by e-mail, somebody else "
        "reads this mailbox: change its password, too."
    )
    tell(user, _("Your own password works again"), text)


def tell_recovered(user: User) -> None:
    text = _(
        "A new password was set at %(site)s with your recovery code. The code is used up, a new "
        "one was shown, and every other session ended.\n\nIf this was not you: tell staff at once."
    )
    tell(user, _("Your recovery code was used"), text)


def tell_code_made(user: User) -> None:
    text = _(
        "A recovery code was made for your account at %(site)s. If there was one before, it no "
        "longer works.\n\nIf this was not you: change your password, and make a new code."
    )
    tell(user, _("A recovery code was made"), text)


def tell_brought_back(user: User) -> None:
    text = _(
        "Your keys at %(site)s open with your current password again: somebody typed the earlier "
        "password.\n\nIf this was not you: tell staff at once."
    )
    tell(user, _("Your keys are back"), text)
