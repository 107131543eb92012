"""Who may make an account here: REGISTRATION is `open`, `invite` or `closed`."""

from django.conf import settings

OPEN, INVITE, CLOSED = "open", "invite", "closed"


def everybody_may_register() -> bool:
    return bool(settings.REGISTRATION == OPEN)


def invites_are_taken() -> bool:
    # A word we do not know shuts the door: a slip of the pen must not open it.
    return settings.REGISTRATION in (OPEN, INVITE)
