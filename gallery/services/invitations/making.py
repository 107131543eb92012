"""Making an invitation: a link for somebody who has no account yet, and the key it carries.

The link is shown once. Here only what finds it is kept, and what it opens.
"""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring, cost_now, stretch_in_turn
from accounts.keys.recipients import hold_people, reader_of
from accounts.models import WrappedKey
from accounts.policy import people_may_invite
from audit import events
from audit.events import Event
from cryptocore import invitations, passwords, statements
from gallery.errors import OwnKeyRefused
from gallery.invitation_keys import LOCK, Details, InvitationKey, place_of
from gallery.invitation_trail import Recorded
from gallery.models import Invitation
from gallery.sealing import wrap_to
from gallery.services.invitations.links import token_of


@dataclass(frozen=True)
class NewInvitation:
    """An invitation with its key open and its link's token, to be shown once. Never prints it."""

    key: InvitationKey
    details: Details
    token: str = field(repr=False)

    @property
    def invitation(self) -> Invitation:
        return self.key.invitation


@sensitive_variables()
def make_invitation(
    *, keyring: Keyring, details: Details, spoken_code: str, lasts: timedelta
) -> NewInvitation:
    """Make an invitation that carries nothing yet.

    Raises ValidationError where people here do not invite, OwnKeyRefused, NoKeys, Busy or
    AuditUnavailable; then nothing is made.
    """
    if not people_may_invite():
        sentence = _("People do not invite others to this site. Nothing was made. Ask staff.")
        raise ValidationError(sentence, code="registration_closed")
    key, link_secret = invitations.new_invitation_key(), invitations.new_link_secret()
    invitation = Invitation(inviter=keyring.user, token_digest=invitations.link_digest(link_secret))
    invitation.ends_at = (invitation.made_at + lasts).replace(microsecond=0)
    invitation.details = invitations.encrypt_details(
        details.encode(), key, instance=settings.SERVER_KEYS.instance_id, invitation=invitation.pk
    )
    code_key = _set_code(invitation, spoken_code) if spoken_code else None
    invitation.link_wrapped = invitations.wrap_invitation_key(
        key, link_secret, code_key, **place_of(invitation)
    )
    invitation.wrapped_key = _wrapped_to_inviter(keyring, key, invitation.pk)
    recorded = Recorded(
        token=invitation.token_digest,
        commitment=invitations.commitment(key, invitation=invitation.pk, person=invitation.person),
        details=statements.digest(invitation.details),
        ends_at=invitation.ends_at,
    )
    _store(invitation, invitation.wrapped_key, recorded)
    return NewInvitation(InvitationKey(invitation, recorded, key), details, token_of(link_secret))


@sensitive_variables()
def _set_code(invitation: Invitation, spoken_code: str) -> bytes:
    """Return what Argon2id makes of a spoken code; salt and cost go into the row."""
    cost, invitation.code_salt = cost_now(), passwords.new_salt()
    invitation.time_cost, invitation.memory_kib = cost.time_cost, cost.memory_kib
    invitation.parallelism = cost.parallelism
    code = invitations.normalise_code(spoken_code)
    return stretch_in_turn(code, salt=invitation.code_salt, cost=cost)


@sensitive_variables()
def _wrapped_to_inviter(keyring: Keyring, key: bytes, invitation: uuid.UUID) -> WrappedKey:
    own_key = reader_of(keyring.user).key
    if own_key is None:  # their theft was ordered just now
        raise OwnKeyRefused
    keyring.prove(own_key.pair)  # certified is not enough when you wrap to yourself
    wrapped = wrap_to(own_key, key, subject=invitation, lock=LOCK)
    wrapped.quick_key = keyring.wrap_quick_key(key, subject=invitation, lock=LOCK)
    return wrapped


def _store(invitation: Invitation, wrapped: WrappedKey, recorded: Recorded) -> None:
    """Its row counts only while the trail's table vouches for it."""
    with (
        events.recorded(
            Event.INVITATION_MADE,
            actor=invitation.inviter_id,
            subject=invitation.pk,
            in_table=True,
            **recorded.facts(invitation),
        ),
        transaction.atomic(),
    ):
        hold_people(pairs=[wrapped.key_pair])
        wrapped.save(force_insert=True)
        invitation.save(force_insert=True)
