"""Invites: a one-time link, made by staff, with which a person makes their own account.

Staff choose no username and no password: the keys are made in the request in which the person
chooses one. The token is shown once; here only its SHA-256 is kept.
"""

import secrets
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.keys.remembered import INVITES_LAST, is_open
from accounts.models import Invite, User, token_digest
from accounts.policy import invites_are_taken
from accounts.services.acts import account_act
from audit.events import Event

TOKEN_BYTES = 32


@dataclass(frozen=True)
class NewInvite:
    """An invite with its token, to be shown once. Never prints it."""

    invite: Invite
    token: str = field(repr=False)


@sensitive_variables()
def make_invite(*, display_name: str, email: str, by: User) -> NewInvite:
    """Make an invite for somebody. Raises ValidationError where the site takes no new accounts."""
    if not invites_are_taken():
        sentence = _("This site takes no new accounts. Nothing was made.")
        raise ValidationError(sentence, code="registration_closed")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invite = Invite(token_digest=token_digest(token), display_name=display_name, email=email)
    invite.made_by_id = by.pk
    invite.ends_at = invite.made_at + INVITES_LAST
    known = {"token": invite.token_digest}
    with account_act(Event.INVITE_MADE, invite, by=by, **known), transaction.atomic():
        invite.save(force_insert=True)
    return NewInvite(invite, token)


def take_back_invite(*, invite: Invite, by: User, reason: str) -> None:
    """Let this invite make no account any more. Raises ValidationError if it is not open."""
    with (
        account_act(Event.INVITE_TAKEN_BACK, invite, by=by, reason=reason),
        transaction.atomic(),
    ):
        still_open = Invite.objects.open().filter(pk=invite.pk)
        if not still_open.update(taken_back_at=timezone.now()):
            sentence = _("This invite is no longer valid. Nothing was changed.")
            raise ValidationError(sentence, code="not_open")


def open_invite(token: str) -> Invite | None:
    """Return the invite of this token while an account can be made with it, as its row and the
    trail say. Raises AuditUnavailable."""
    invite = Invite.objects.open().of_token(token).first()
    return invite if invite and is_open(invite) else None
