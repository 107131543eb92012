"""What every act of an owner on an album or a team has in common: it begins from what they signed,
never from what a row says."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import User, WrappedKey
from cryptocore import canonical, circles, statements
from gallery.access import membership_of
from gallery.circle_keys import CircleOpener
from gallery.errors import Altered, HeadMoved, NotAllowed
from gallery.heads import Body
from gallery.members import Members, members_as_signed
from gallery.models import (
    Circle,
    Listed,
    Member,
    SealedImage,
    Statement,
    SuccessorCircleKey,
    SuccessorKey,
)
from gallery.sealing import (
    MEMBERSHIP,
    album_signed,
    head_of,
    set_entry,
    share_fields,
    sign_statement,
)
from gallery.services.uploading import Terms


@dataclass
class OwnCircle:
    """An album or a team as its owner signed it, with its key. Never prints the key."""

    keyring: Keyring
    opener: CircleOpener
    circle: Circle
    head: Statement
    members: Members
    key: bytes = field(repr=False)
    details: Body = field(repr=False)

    @property
    def listed(self) -> list[Listed]:
        return [*self.members.signed, *self.members.invited]

    def signed_next(self, listed: Iterable[Listed]) -> Statement:
        """Return the next membership statement, of the circle as it is in memory, not stored."""
        return sign_membership(
            self.circle, self.key, listed, keyring=self.keyring, previous=self.head
        )


@sensitive_variables()
def own_circle(
    keyring: Keyring, circle_id: uuid.UUID, kind: str | None = Circle.Kind.ALBUM
) -> OwnCircle:
    """Return an album, or a circle of another kind (None: of either), of this person's, every check
    made.

    Raises NotYours, NotAllowed, AccessEnded, Altered, Waiting, or HeadMoved if another act came
    between.
    """
    member = membership_of(circle_id, reader=keyring.user, kind=kind)
    if member.circle.owner_id != keyring.user.pk:
        raise NotAllowed
    before = head_of(MEMBERSHIP, circle_id)
    try:
        return _as_signed(keyring, member)
    except Altered:
        now = head_of(MEMBERSHIP, circle_id)
        if before and now and now.digest != before.digest:
            raise HeadMoved from None
        raise


@sensitive_variables()
def _as_signed(keyring: Keyring, member: Member) -> OwnCircle:
    circle, opener = member.circle, CircleOpener(keyring)
    if circle.deleted_at is not None:  # deleting ends the owner's own membership with it
        raise Altered("deleted")
    head = opener.to_follow(MEMBERSHIP, circle)
    key, details = opener.circle_key_for(member), opener.details(member)
    # The column may be anybody's, and the next statement signs what it says.
    circle.members_add = opener.membership(circle)["members_add"]
    members = members_as_signed(circle, opener)
    return OwnCircle(keyring, opener, circle, head, members, key, details)


def put_off_under_key_of(circle: Circle, *, owner: User | None = None) -> None:
    """Mark what is in this circle as due: images for a new lock, albums for their next key.

    Whoever was a member could keep the keys of all of it. `owner`: only what this person put in.
    Inside the caller's transaction, which holds the circle.
    """
    now, placed = timezone.now(), circle.placements.filter(ended_at=None)
    shared = circle.teams_albums.filter(ended_at=None)
    if owner:
        placed, shared = placed.filter(image__owner=owner), shared.filter(circle__owner=owner)
    # Teams before albums before images, as everywhere, and each in one order.
    of_successors = circle.successor_circle_keys.values("circle")
    there = Q(pk__in=shared.values("circle")) | Q(pk__in=of_successors)
    due = Circle.objects.filter(there, deleted_at=None)
    held = [one.pk for one in due.select_for_update().order_by("-kind", "pk")]
    Circle.objects.filter(pk__in=held).update(rekey_after=now)
    under = Q(pk__in=placed.values("image")) | Q(successor_key__circle=circle)
    images = SealedImage.objects.filter(under, deleted_at=None)
    # Not the outer join's rows, which PostgreSQL does not lock.
    held = [image.pk for image in images.select_for_update(of=("self",)).order_by("pk")]
    SealedImage.objects.filter(pk__in=held).update(relock_after=now)
    SuccessorKey.objects.filter(circle=circle).delete()  # successors.py makes them again
    SuccessorCircleKey.objects.filter(team=circle).delete()


def new_member(circle: Circle, reader: User, key: WrappedKey | None, terms: Terms) -> Member:
    member = Member(circle=circle, reader=reader, wrapped_key=key, granted_at=timezone.now())
    set_entry(member, rights=terms.rights, ends_at=terms.ends_at)
    return member


@sensitive_variables()
def seal_details(circle: Circle, key: bytes, *, title: str, description: str) -> None:
    """Encrypt title and description under the key of the circle's epoch."""
    plaintext = canonical.encode({"title": title, "description": description})
    instance = settings.SERVER_KEYS.instance_id
    circle.details = circles.encrypt_details(
        plaintext, key, instance=instance, circle=circle.pk, epoch=circle.epoch
    )


@sensitive_variables()
def sign_membership(
    circle: Circle,
    key: bytes,
    listed: Iterable[Listed],
    *,
    keyring: Keyring,
    previous: Statement | None,
) -> Statement:
    """Return the owner's next statement: who the members are, and which key they have."""
    details = bytes(circle.details)
    commitment = circles.commitment(
        key, circle=circle.pk, owner=circle.owner_id, epoch=circle.epoch
    )
    fields: dict[str, object] = {
        "circle": str(circle.kind),
        "epoch": circle.epoch,
        "key_commitment": commitment.hex(),
        "details": {"sha256": statements.digest(details), "length": len(details)},
        "members_add": circle.members_add,
        **share_fields(listed),
    }
    if album := album_signed(circle):
        fields["album"] = album
    return sign_statement(MEMBERSHIP, fields, keyring=keyring, subject=circle.pk, previous=previous)
