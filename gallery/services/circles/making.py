"""Making an album or a team, and changing what it is called and who may add to it."""

import uuid

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.recipients import hold_people
from cryptocore import circles
from gallery.circle_events import events_of
from gallery.errors import Altered
from gallery.models import Circle, Rights
from gallery.sealing import MEMBERSHIP, head_of, wrap_to_oneself
from gallery.services.acts import (
    end_expired,
    hold,
    owners_act,
    require_present_signer,
    starting_anew,
)
from gallery.services.circles.acts import (
    new_member,
    own_circle,
    seal_details,
    sign_membership,
)
from gallery.services.uploading import Terms

FIRST_EPOCH = 1


@sensitive_variables()
def make_circle(
    *,
    keyring: Keyring,
    title: str,
    description: str,
    members_add: bool,
    kind: str = Circle.Kind.ALBUM,
    album: Circle | None = None,
) -> Circle:
    """Make an empty album, or a team, with one member, its owner. `members_add`: others may put
    images of their own into it, or share them with it. `album`: whose successors it is for alone.

    Raises OwnKeyRefused, NoKeys, HeadMoved or AuditUnavailable; then nothing is stored.
    """
    circle = Circle(
        kind=str(kind),
        owner=keyring.user,
        epoch=FIRST_EPOCH,
        members_add=members_add,
        made_at=timezone.now(),
        album=album,
    )
    key = circles.new_circle_key()
    seal_details(circle, key, title=title, description=description)
    wrapped = wrap_to_oneself(keyring, key, subject=circle.pk, lock=circle.epoch)
    member = new_member(circle, keyring.user, wrapped, Terms(Rights.DOWNLOAD.value, None))
    signed = sign_membership(circle, key, [member], keyring=keyring, previous=None)
    with owners_act(events_of(circle).made, circle, signed=[signed]), transaction.atomic():
        if album:
            hold(album, head_of(MEMBERSHIP, album.pk))
        hold_people(pairs=[wrapped.key_pair])
        circle.save(force_insert=True)
        signed.save(force_insert=True)
        wrapped.save(force_insert=True)
        member.save(force_insert=True)
    return circle


@sensitive_variables()
def change_circle(
    *,
    keyring: Keyring,
    circle_id: uuid.UUID,
    title: str,
    description: str,
    members_add: bool,
    kind: str = Circle.Kind.ALBUM,
) -> None:
    """Change what the owner's album is called, and whether members may add to it.

    Raises NotYours, NotAllowed, AccessEnded, Altered or HeadMoved; then nothing has changed.
    """
    wished = {"title": title, "description": description}
    starting_anew(lambda: _change_once(keyring, circle_id, kind, wished, members_add))


@sensitive_variables()
def _change_once(
    keyring: Keyring, circle_id: uuid.UUID, kind: str, wished: dict[str, str], members_add: bool
) -> None:
    own = own_circle(keyring, circle_id, kind)
    if own.members.unsigned:
        raise Altered("entries")
    if (wished, members_add) == (own.details, own.circle.members_add):
        return
    circle = own.circle
    circle.members_add = members_add
    seal_details(circle, own.key, **wished)
    signed = own.signed_next(own.listed)
    with owners_act(events_of(circle).changed, circle, signed=[signed]), transaction.atomic():
        hold(circle, own.head)
        hold_people([circle.owner])
        require_present_signer(circle.owner, signed)
        end_expired(circle)
        signed.save(force_insert=True)
        circle.save(update_fields=["details", "members_add"])
    truncate_write_ahead_log()  # end_expired() destroyed keys
