"""Following the link of an invitation, and opening its key with what the link holds."""

import base64
from dataclasses import dataclass, field

from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, stretch_in_turn
from accounts.keys.remembered import standing_of
from accounts.policy import people_may_invite
from accounts.turns import Busy
from cryptocore import invitations
from cryptocore.errors import CryptoError
from cryptocore.passwords import Argon2Cost
from gallery.errors import Altered, InvitationGone, WrongCode
from gallery.invitation_keys import InvitationKey, is_key_of, place_of
from gallery.invitation_trail import Recorded, recorded_of
from gallery.models import Invitation
from gallery.models.invitations import MOST_WRONG_CODES
from gallery.services.invitations.taking_back import take_back


@dataclass(frozen=True)
class Link:
    """A link that works, and what was recorded of it. Never prints its secret."""

    invitation: Invitation
    recorded: Recorded
    secret: bytes = field(repr=False)

    @property
    def needs_code(self) -> bool:
        return self.invitation.code_salt is not None


def token_of(link_secret: bytes) -> str:
    return base64.urlsafe_b64encode(link_secret).decode("ascii").rstrip("=")


@sensitive_variables()
def follow(token: str) -> Link:
    """Return what a link leads to. Raises InvitationGone for one that never was, was used or taken
    back, has ended, or whose inviter was disabled; TrailAway."""
    secret = _secret_in(token)
    found = Invitation.objects.open().filter(token_digest=invitations.link_digest(secret))
    invitation = found.select_related("inviter").first()
    if invitation is None or not people_may_invite():
        raise InvitationGone
    try:
        recorded = recorded_of(invitation)
    except Altered:
        raise InvitationGone from None
    if (
        recorded.is_over
        or not invitation.inviter.is_active
        or standing_of(invitation.inviter_id).is_shut_out
    ):
        raise InvitationGone
    return Link(invitation, recorded, secret)


@sensitive_variables()
def _secret_in(token: str) -> bytes:
    """Return the link's secret: 43 characters of base64url, written in the one way."""
    try:
        secret = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except ValueError:
        raise InvitationGone from None
    if len(secret) != invitations.LINK_BYTES or token_of(secret) != token:
        raise InvitationGone
    return secret


@sensitive_variables()
def key_by_link(link: Link, spoken_code: str) -> InvitationKey:
    """Return the invitation's key. Raises WrongCode, InvitationGone or Busy.

    Each try at a code is counted before it is made, so that many at once are not more.
    """
    invitation = link.invitation
    if not link.needs_code:
        return _opened(link, None)
    tries = Invitation.objects.filter(pk=invitation.pk, wrong_codes__lt=MOST_WRONG_CODES)
    if not tries.update(wrong_codes=F("wrong_codes") + 1):
        raise InvitationGone
    try:
        key = _opened(link, _code_key(invitation, spoken_code))
    except InvitationGone:
        if not tries.exists():
            take_back(invitation=invitation, by=None, reason="wrong codes")
        raise WrongCode from None
    except Busy:
        _uncount(invitation)
        raise
    _uncount(invitation)
    return key


def _uncount(invitation: Invitation) -> None:
    counted = Invitation.objects.filter(pk=invitation.pk, wrong_codes__gt=0)
    counted.update(wrong_codes=F("wrong_codes") - 1)


@sensitive_variables()
def _code_key(invitation: Invitation, spoken_code: str) -> bytes:
    """Raises InvitationGone where the row's salt or cost are none that we made."""
    time, memory, lanes = invitation.time_cost, invitation.memory_kib, invitation.parallelism
    code, salt = invitations.normalise_code(spoken_code), bytes(invitation.code_salt or b"")
    try:
        cost = Argon2Cost(time or 0, memory or 0, min(lanes or 1, 64))
        return stretch_in_turn(code, salt=salt, cost=cost)
    except (CryptoError, DoesNotOpen, TypeError):
        raise InvitationGone from None


@sensitive_variables()
def _opened(link: Link, code_key: bytes | None) -> InvitationKey:
    invitation, wrapped = link.invitation, bytes(link.invitation.link_wrapped or b"")
    try:
        key = invitations.unwrap_invitation_key(
            wrapped, link.secret, code_key, **place_of(invitation)
        )
    except CryptoError:
        raise InvitationGone from None
    if not is_key_of(key, invitation, link.recorded):
        raise InvitationGone
    return InvitationKey(invitation, link.recorded, key)
