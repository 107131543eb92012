"""The key of a circle, for one of its members: what its owner signed, and what is wrapped to them.

The steps are an image's (gallery/opening.py), with the membership statement in place of manifest
and share statement: it lists the members, and commits to the key.
"""

import uuid

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from cryptocore import circles
from cryptocore.errors import CryptoError
from gallery.errors import AccessEnded, Altered, NotYours
from gallery.heads import Body
from gallery.models import Circle, Member
from gallery.sealing import MEMBERSHIP
from gallery.unwrapping import Unwrapping


class CircleOpener(Unwrapping):
    """Opens the keys of circles for one member, within one request."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring)
        self._circle_keys: dict[uuid.UUID, bytes] = {}

    def membership(self, circle: Circle) -> Body:
        """Return the verified membership statement of the circle's current key. Raises Altered."""
        membership = self.head(MEMBERSHIP, circle)
        if (membership["epoch"], membership["circle"]) != (circle.epoch, circle.kind):
            raise Altered("membership-epoch")
        return membership

    def check_member(self, member: Member) -> None:
        """Check that the owner's newest statement lists this member, and that their time is not
        over. Raises Altered or AccessEnded."""
        self.membership(member.circle)
        if not self.is_signed(member):
            raise Altered("member")
        if member.ends_at is not None and member.ends_at <= timezone.now():
            raise AccessEnded(member)

    @sensitive_variables()
    def own_circle_key(self, circle: Circle) -> bytes:
        """Return the key of a circle this person is a member of.

        Raises NotYours, AccessEnded, Altered or Waiting.
        """
        if circle.pk not in self._circle_keys:
            rows = circle.members.filter(reader=self._keyring.user, ended_at=None)
            member = rows.select_related("wrapped_key__key_pair").first()
            if member is None:
                raise NotYours
            self._circle_keys[circle.pk] = self.circle_key_for(member)
        return self._circle_keys[circle.pk]

    @sensitive_variables()
    def circle_key_for(self, member: Member) -> bytes:
        """Return the circle's key for this member: the only way to it. Raises Altered, AccessEnded
        or Waiting."""
        circle = member.circle
        self.check_member(member)
        return self.unwrap(
            member.wrapped_key,
            of=circle,
            lock=circle.epoch,
            is_committed=lambda key: self._is_circle_key(key, circle),
        )

    @sensitive_variables()
    def _is_circle_key(self, key: bytes, circle: Circle) -> bool:
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
