"""The key of a circle, for one of its members: what its owner signed, and what is wrapped to them.

The steps are an image's (gallery/opening.py), with the membership statement in place of manifest
and share statement: it lists the members, and commits to the key.
"""

import uuid

from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from cryptocore import canonical, circles, statements
from cryptocore.errors import CryptoError
from gallery.errors import AccessEnded, Altered, NotYours
from gallery.heads import Body, step
from gallery.models import Circle, Member
from gallery.sealing import MEMBERSHIP
from gallery.signers import Assessment, Signers
from gallery.unwrapping import Unwrapping


class CircleOpener(Unwrapping):
    """Opens the keys of circles for one member, within one request."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(keyring)
        self._circle_keys: dict[uuid.UUID, bytes] = {}
        self._signers = Signers(keyring)

    def membership(self, circle: Circle) -> Body:
        """Return the verified membership statement of the circle's current key. Raises Altered."""
        membership = self.head(MEMBERSHIP, circle)
        if (membership["epoch"], membership["circle"]) != (circle.epoch, circle.kind):
            raise Altered("membership-epoch")
        return membership

    def check_member(self, member: Member) -> None:
        """Check that the owner's newest statement lists this member, that their time is not over,
        and that the owner is as the reader compared them.

        Raises Altered, AccessEnded or OtherSigner.
        """
        membership = self.membership(member.circle)
        if member.reader_id != self._keyring.user.pk or not self.is_signed(member):
            raise Altered("member")
        if member.ends_at is not None and member.ends_at <= timezone.now():
            raise AccessEnded(member)
        self._signers.check(member.circle.owner, frozenset([membership["key"]]))

    def owner_of(self, circle: Circle) -> Assessment:
        """Return what to say about who signed the list of members. Raises Altered or
        OtherSigner."""
        return self._signers.assess(circle.owner, frozenset([self.membership(circle)["key"]]))

    @sensitive_variables()
    def own_circle_key(self, circle: Circle) -> bytes:
        """Return the key of a circle this person is a member of.

        Raises NotYours, AccessEnded, Altered, OtherSigner or Waiting.
        """
        rows = circle.members.filter(reader=self._keyring.user, ended_at=None)
        member = rows.select_related("wrapped_key__key_pair").first()
        if member is None:
            raise NotYours
        member.circle = circle
        return self.circle_key_for(member)

    @sensitive_variables()
    def circle_key_for(self, member: Member) -> bytes:
        """Return the circle's key for this member: the only way to it. Raises Altered, AccessEnded,
        OtherSigner or Waiting."""
        circle = member.circle
        self.check_member(member)
        if circle.pk not in self._circle_keys:
            self._circle_keys[circle.pk] = self.unwrap(
                member.wrapped_key,
                of=circle,
                lock=circle.epoch,
                is_committed=lambda key: self.is_circle_key(key, circle),
            )
        return self._circle_keys[circle.pk]

    @sensitive_variables()
    def details(self, member: Member) -> Body:
        """Return title and description, which the owner signed. Raises as circle_key_for()."""
        circle, key = member.circle, self.circle_key_for(member)
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
