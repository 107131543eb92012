"""The key of an invitation: for its inviter, who may share more with its person, and for whoever
holds its link. Checked against what the trail recorded, whichever way it was found."""

import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from audit.leaf import Leaf
from cryptocore import canonical, invitations, statements
from cryptocore.errors import CryptoError
from gallery.errors import Altered
from gallery.heads import step
from gallery.invitation_trail import Recorded, recorded_of
from gallery.models import Invitation, InvitedGrant
from gallery.unwrapping import Unwrapping

LOCK = 1  # an invitation has one key


@dataclass(frozen=True)
class Details:
    """Whom an invitation is for, as its inviter wrote it. Never prints itself."""

    display_name: str = field(repr=False)
    email: str = field(repr=False)

    def encode(self) -> bytes:
        return canonical.encode({"display_name": self.display_name, "email": self.email})


@dataclass(frozen=True)
class InvitationKey:
    """An invitation with its key open. Never prints the key."""

    invitation: Invitation
    recorded: Recorded
    key: bytes = field(repr=False)

    def wrap(self, content_key: bytes, *, subject: uuid.UUID, lock: int) -> bytes:
        return invitations.wrap_content_key(
            content_key, self.key, **place_of(self.invitation), subject=subject, lock=lock
        )

    @sensitive_variables()
    def unwrap(self, row: InvitedGrant) -> bytes:
        """Return the content key that a row carries. Raises CryptoError."""
        place, wrapped = place_of(self.invitation), bytes(row.wrapped or b"")
        subject = row.list_of.pk
        return invitations.unwrap_content_key(
            wrapped, self.key, **place, subject=subject, lock=row.lock
        )

    @sensitive_variables()
    def details(self) -> Details:
        """Return whom it is for. Raises Altered if that is not what its inviter wrote."""
        stored, invitation = bytes(self.invitation.details), self.invitation.pk
        with step("invitation-details"):
            if statements.digest(stored) != self.recorded.details:
                raise CryptoError
            instance = settings.SERVER_KEYS.instance_id
            plaintext = invitations.decrypt_details(
                stored, self.key, instance=instance, invitation=invitation
            )
            return Details(**canonical.decode(plaintext))


def place_of(invitation: Invitation) -> dict[str, uuid.UUID]:
    """Return what everything that an invitation wraps is bound to."""
    return {
        "instance": settings.SERVER_KEYS.instance_id,
        "invitation": invitation.pk,
        "person": invitation.person,
    }


@sensitive_variables()
def is_key_of(key: bytes, invitation: Invitation, recorded: Recorded) -> bool:
    about = {"invitation": invitation.pk, "person": invitation.person}
    try:
        invitations.check_commitment(key, recorded.commitment, **about)
    except CryptoError:
        return False
    return True


@sensitive_variables()
def key_for_inviter(
    opener: Unwrapping, invitation: Invitation, said: list[Leaf] | None = None
) -> InvitationKey:
    """Return the key of one's own open invitation. Raises Altered, also of one that is not open any
    more, Waiting or TrailAway."""
    recorded = recorded_of(invitation, said)
    if recorded.is_over:
        raise Altered("invitation-over")
    key = opener.unwrap(
        invitation.wrapped_key,
        of=invitation,
        lock=LOCK,
        is_committed=lambda key: is_key_of(key, invitation, recorded),
    )
    return InvitationKey(invitation, recorded, key)
