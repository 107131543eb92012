"""The key of a circle, for one of its members: what its owner signed, and what is wrapped to them.

The steps are an image's (gallery/opening.py), with the membership statement in place of manifest
and share statement: it lists the members, and commits to the key.
"""

import uuid
from typing import TypedDict

from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from cryptocore import canonical, circles, statements
from cryptocore.errors import CryptoError
from gallery.access import membership_of
from gallery.errors import AccessEnded, Altered, Waiting
from gallery.heads import Body, step
from gallery.models import Circle, Member, SuccessorCircleKey
from gallery.signers import Assessment, Signers
from gallery.unwrapping import Unwrapping


class PlaceInTeam(TypedDict):
    """Where an album's key under a team's key belongs, and opens."""

    instance: uuid.UUID
    team: uuid.UUID
    team_epoch: int
    circle: uuid.UUID
    epoch: int


def place_in_team(row: Member | SuccessorCircleKey) -> PlaceInTeam:
    """Return that place of a team's row, or of the successors'. Raises ValueError for a row of no
    team."""
    if row.team_id is None or row.team_epoch is None:
        raise ValueError("not of a team")
    return {
        "instance": settings.SERVER_KEYS.instance_id,
        "team": row.team_id,
        "team_epoch": row.team_epoch,
        "circle": row.circle_id,
        "epoch": row.circle.epoch,
    }


class CircleOpener(Unwrapping):
    """Opens the keys of circles for one member, within one request."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring)
        self._circle_keys: dict[uuid.UUID, bytes] = {}
        self._signers = Signers(keyring)

    def check_member(self, member: Member) -> None:
        """Check that the owner's newest statement lists this member, that their time is not over,
        and that the owner is as the reader compared them. Of a team's row the same of the reader's
        own in that team.

        Raises Altered, AccessEnded or OtherSigner.
        """
        membership = self.membership(member.circle)
        if not self.is_signed(member) or not self._is_own(member):
            raise Altered("member")
        if member.through:
            self.check_member(member.through)
        if member.ends_at is not None and member.ends_at <= timezone.now():
            raise AccessEnded(member)
        self._signers.check(member.circle.owner, frozenset([membership["key"]]))

    def _is_own(self, member: Member) -> bool:
        """Whether a row is this person's, or that of a team with their own row in it. No team is a
        member of a team."""
        if member.team_id is None:
            return member.through is None and member.reader_id == self._keyring.user.pk
        own, kinds = member.through, Circle.Kind
        if own is None or (member.circle.kind, own.circle.kind) != (kinds.ALBUM, kinds.TEAM):
            return False
        return own.circle_id == member.team_id and own.team_id is None

    def owner_of(self, circle: Circle) -> Assessment:
        """Return what to say about who signed the list of members. Raises Altered or
        OtherSigner."""
        return self._signers.assess(circle.owner, frozenset([self.membership(circle)["key"]]))

    @sensitive_variables()
    def own_circle_key(self, circle: Circle) -> bytes:
        """Return the key of a circle this person is a member of.

        Raises NotYours, AccessEnded, Altered, OtherSigner or Waiting.
        """
        member = membership_of(circle.pk, reader=self._keyring.user, kind=None)
        member.circle = circle
        return self.circle_key_for(member)

    @sensitive_variables()
    def circle_key_for(self, member: Member) -> bytes:
        """Return the circle's key for this member: the only way to it. Raises Altered, AccessEnded,
        OtherSigner or Waiting."""
        circle = member.circle
        self.check_member(member)
        if circle.pk not in self._circle_keys:
            self._circle_keys[circle.pk] = self._unwrapped(member)
        return self._circle_keys[circle.pk]

    @sensitive_variables()
    def _unwrapped(self, member: Member) -> bytes:
        circle = member.circle
        if member.through is None:
            return self.unwrap(
                member.wrapped_key,
                of=circle,
                lock=circle.epoch,
                is_committed=lambda key: self.is_circle_key(key, circle),
            )
        team_key = self.circle_key_for(member.through)
        if member.wrapped is None:
            raise Waiting(is_owner=False, in_album=True)
        if member.team_epoch != member.through.circle.epoch:
            raise Altered("team-epoch")
        with step("member"):
            key = circles.unwrap_circle_key(
                bytes(member.wrapped), team_key, **place_in_team(member)
            )
        if not self.is_circle_key(key, circle):
            raise Altered("commitment")
        return key

    @sensitive_variables()
    def details(self, member: Member) -> Body:
        """Return title and description, which the owner signed. Raises as circle_key_for()."""
        return self.details_under(self.circle_key_for(member), member.circle)

    @sensitive_variables()
    def details_under(self, key: bytes, circle: Circle) -> Body:
        """Return the same, with the circle's key at hand. Raises Altered."""
        stored, signed = bytes(circle.details), self.membership(circle)["details"]
        if (len(stored), statements.digest(stored)) != (signed["length"], signed["sha256"]):
            raise Altered("details")
        with step("details"):
            instance = settings.SERVER_KEYS.instance_id
            body = canonical.decode(
                circles.decrypt_details(
                    stored, key, instance=instance, circle=circle.pk, epoch=circle.epoch
                )
            )
            return {"title": str(body["title"]), "description": str(body["description"])}

    @sensitive_variables()
    def is_circle_key(self, key: bytes, circle: Circle) -> bool:
        signed = bytes.fromhex(self.membership(circle)["key_commitment"])
        try:
            circles.check_commitment(
                key, signed, circle=circle.pk, owner=circle.owner_id, epoch=circle.epoch
            )
        except CryptoError:
            return False
        return True

    def forget(self, subject: uuid.UUID) -> None:
        super().forget(subject)
        self._circle_keys.pop(subject, None)
