"""One's own invitations: whom each is for, what became of it, and who followed its link."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from audit.leaf import Leaf
from gallery.errors import Altered, Waiting
from gallery.invitation_keys import Details, key_for_inviter
from gallery.invitation_trail import said_of
from gallery.ledger import TrailAway
from gallery.models import Invitation, InvitedGrant
from gallery.opening import Opener
from gallery.services.invitations.claiming import claimant_of

MOST_SHOWN = 100
ALTERED = "altered"


@dataclass(frozen=True)
class ShownInvitation:
    """One invitation, for its inviter. `details`: None once they are destroyed or do not open.

    `images`: what it carries. `person`: whoever made an account with it, or was given what it
    carried. `claimant`: who waits for the inviter's word.
    """

    invitation: Invitation
    state: str
    details: Details | None = field(repr=False)
    images: list[uuid.UUID]
    person: User | None = None
    claimant: User | None = None

    @property
    def is_open(self) -> bool:
        return self.state == Invitation.State.OPEN


def open_invitations(owner: User) -> QuerySet[Invitation]:
    """Return those whose rows say that they are open; the trail decides when one is used."""
    mine = Invitation.objects.open().filter(inviter=owner)
    return mine.select_related("wrapped_key__key_pair", "claimed_by").order_by("-made_at", "pk")


def somebody_claims(owner: User) -> bool:
    """Whether somebody followed a link of this person's with an account of their own."""
    rows = Invitation.objects.open().filter(inviter=owner).exclude(claimed_by=None)
    return any(map(_is_claimed, rows.select_related("claimed_by")))


def _is_claimed(row: Invitation) -> bool:
    try:
        return claimant_of(row) is not None
    except (Altered, TrailAway):  # lists go on without the trail
        return False


def shown_invitations(opener: Opener, owner: User) -> list[ShownInvitation]:
    """Return the newest of a person's invitations. Raises TrailAway."""
    rows = Invitation.objects.filter(inviter=owner).order_by("-made_at", "pk")
    rows = rows.select_related("wrapped_key__key_pair", "claimed_by")
    newest = list(rows[:MOST_SHOWN])
    people = User.objects.in_bulk([row.person for row in newest])
    return shown(newest, opener, people)


def named_invitations(opener: Opener, rows: Iterable[Invitation]) -> list[ShownInvitation]:
    """Return those of these that can be shared with: open, and their key opens. Raises
    TrailAway."""
    return [one for one in shown(rows, opener) if one.details is not None]


def shown(
    rows: Iterable[Invitation], opener: Opener, people: Mapping[uuid.UUID, User] | None = None
) -> list[ShownInvitation]:
    """Return what is shown of these; the trail is asked once, about those that are open. `people`:
    who has an account already. Raises TrailAway."""
    rows, people = list(rows), people or {}
    is_open = [row for row in rows if row.state == Invitation.State.OPEN]
    said, images = said_of(is_open), _images_of(is_open)
    return [
        _shown(row, opener, said[row.pk], images[row.pk])
        if row in is_open
        else ShownInvitation(row, row.state, None, [], people.get(row.person) or row.claimed_by)
        for row in rows
    ]


def _shown(
    row: Invitation, opener: Opener, said: list[Leaf], images: list[uuid.UUID]
) -> ShownInvitation:
    state, details, claimant = row.state.value, None, None
    try:
        key = key_for_inviter(opener, row, said)
        details = key.details()
        if key.recorded.claimed_by == row.claimed_by_id:
            claimant = row.claimed_by
    except Altered:
        state = ALTERED
    except Waiting:  # one's own keys of now do not open it; the link still works
        pass
    return ShownInvitation(row, state, details, images, None, claimant)


def _images_of(invitations: list[Invitation]) -> dict[uuid.UUID, list[uuid.UUID]]:
    rows = InvitedGrant.objects.filter(invitation__in=invitations, ended_at=None)
    rows = rows.exclude(image=None).filter(image__deleted_at=None)
    rows = rows.exclude(ends_at__lte=timezone.now()).order_by("granted_at", "pk")
    images: dict[uuid.UUID, list[uuid.UUID]] = {one.pk: [] for one in invitations}
    for invitation, image in rows.values_list("invitation_id", "image_id"):
        if image:
            images[invitation].append(image)
    return images
