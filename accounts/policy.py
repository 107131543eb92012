"""Who may make an account here: REGISTRATION is `open`, `invitations`, `invite` or `closed`."""

from django.conf import settings

OPEN, INVITATIONS, INVITE, CLOSED = "open", "invitations", "invite", "closed"


def everybody_may_register() -> bool:
    return bool(settings.REGISTRATION == OPEN)


def people_may_invite() -> bool:
    """Whether people here may invite others, and what they sent works."""
    return settings.REGISTRATION in (OPEN, INVITATIONS)


def invites_are_taken() -> bool:
    """Whether invites of staff make accounts."""
    # A word we do not know shuts the door: a slip of the pen must not open it.
    return settings.REGISTRATION in (OPEN, INVITATIONS, INVITE)
