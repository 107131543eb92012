"""What the trail says of an invitation: whose link it is, under which key, until when.

Anybody who can write to the database could put another link, another key or a later end into a row,
or a row from before it was used. So a row only leads to the entry that was made with it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Fact, Leaf
from audit.vouched import vouched_of_each
from cryptocore.statements import format_time, parse_time
from gallery.errors import Altered
from gallery.ledger import TrailAway
from gallery.models import Invitation

ENDS = (
    Event.INVITATION_ACCEPTED,
    Event.INVITATION_TAKEN_BACK,
    Event.INVITATION_CLAIM_AGREED,
)
CLAIMS = (Event.INVITATION_CLAIMED, Event.INVITATION_CLAIM_REFUSED)


@dataclass(frozen=True)
class Recorded:
    """What was recorded when an invitation was made, and what became of it.

    `details`: the SHA-256 of the encrypted name and address. `claimed_by`: who followed its link
    with an account of their own, and waits for its inviter's word.
    """

    token: str
    commitment: bytes
    details: str
    ends_at: datetime
    is_closed: bool = False
    claimed_by: uuid.UUID | None = None

    @property
    def is_over(self) -> bool:
        return self.is_closed or self.ends_at <= timezone.now()

    def facts(self, invitation: Invitation) -> dict[str, Fact]:
        """Return what the entry holds of it."""
        return {
            "token": self.token,
            "commitment": self.commitment.hex(),
            "details": self.details,
            "ends_at": format_time(self.ends_at),
            "person": str(invitation.person),
        }


def said_of(invitations: Collection[Invitation]) -> dict[uuid.UUID, list[Leaf]]:
    """Return every entry about each of these that the audit key vouches for: one query. Raises
    TrailAway."""
    events, begun = (Event.INVITATION_MADE, *ENDS, *CLAIMS), (Outcome.INTENDED, Outcome.DONE)
    try:
        return vouched_of_each(events, subjects=[one.pk for one in invitations], outcomes=begun)
    except AuditUnavailable:
        raise TrailAway from None


def recorded_of(invitation: Invitation, said: list[Leaf] | None = None) -> Recorded:
    """Return what the audit key vouches for. `said`: what said_of() returned, where it was asked.

    Raises Altered if that is another invitation than the row says, or none, and TrailAway.
    """
    leaves = said_of([invitation])[invitation.pk] if said is None else said
    facts = _facts_of([leaf for leaf in leaves if leaf.event == Event.INVITATION_MADE], invitation)
    done = [leaf for leaf in leaves if leaf.outcome == Outcome.DONE]
    claims = [leaf for leaf in done if leaf.event in CLAIMS]
    # By their times: an imported line has a later number than what happened after it.
    newest = max(claims, key=lambda leaf: leaf.time, default=None)
    return Recorded(
        token=facts["token"],
        commitment=bytes.fromhex(facts["commitment"]),
        details=facts["details"],
        ends_at=parse_time(facts["ends_at"]),
        is_closed=any(leaf.event in ENDS for leaf in done),
        claimed_by=newest.actor if newest and newest.event == CLAIMS[0] else None,
    )


def _facts_of(made: list[Leaf], invitation: Invitation) -> Mapping[str, Any]:
    """Return the facts of its making: the same when it was intended as when it was done."""
    facts = made[0].facts if made else {}
    said = (invitation.inviter_id, str(invitation.person), invitation.token_digest)
    for leaf in made:
        if (leaf.actor, leaf.facts["person"], leaf.facts["token"]) != said or leaf.facts != facts:
            raise Altered("invitation")
    if not made:
        raise Altered("invitation")
    return facts
