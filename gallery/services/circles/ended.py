"""Membership that ended by its date: its key is destroyed, and the circle gets its next key. The
same for a team that a member left.

As with images (gallery/services/ended.py): `purge` destroys, the owner's next page with open keys
does the rest.
"""

import time
import uuid
from contextlib import suppress

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.models import User, WrappedKey
from gallery.errors import GalleryError
from gallery.members import everybody_signed_is_a_member
from gallery.models import Circle, Member, Placement
from gallery.services.circles.acts import own_circle
from gallery.services.circles.placing import place_image, waiting_places
from gallery.services.circles.rekeying import rekey
from gallery.services.circles.waiting import share_with_team_again, waiting_teams
from gallery.services.ended import (
    PUT_OFF,
    SECONDS,
    ended_invited,
    ended_places,
    is_over_as_signed,
)


def ended_members() -> QuerySet[Member]:
    """Return the rows whose time is over and whose album still has the key of that time. Never an
    owner's own: no altered row may cost the only key to an album."""
    over = Member.objects.filter(ended_at=None, ends_at__lte=timezone.now())
    return over.exclude(reader=F("circle__owner"))


def members_keys_that_ended() -> QuerySet[Member]:
    return ended_members().exclude(wrapped_key=None, wrapped=None)


def places_that_ended() -> QuerySet[Placement]:
    return ended_places().exclude(wrapped=None)


def destroy_ended_album_keys() -> None:
    """Destroy what is wrapped to members, and to albums, whose time is over."""
    for circle in set(members_keys_that_ended().values_list("circle", flat=True)):
        with transaction.atomic():
            # Held, or an owner who gives them more time just now would lose a member's key.
            Circle.objects.select_for_update().get(pk=circle)
            over = members_keys_that_ended().filter(circle=circle)
            WrappedKey.objects.filter(member__in=over).delete()
            over.update(wrapped=None)
    places_that_ended().update(wrapped=None)


# ---- the next key ----------------------------------------------------------------------------


def circles_to_rekey(owner: User) -> list[uuid.UUID]:
    """Return the owner's albums and teams whose key a former member may know: one query."""
    live = {"circle__owner": owner, "circle__deleted_at": None, "circle__rekey_after": None}
    ended = ended_members().filter(**live).values_list("circle")
    invited = ended_invited().filter(**live).values_list("circle")
    theirs = Circle.objects.filter(owner=owner, deleted_at=None)
    put_off = theirs.filter(rekey_after__lte=timezone.now()).values_list("pk")
    return [circle for (circle,) in ended.union(invited, put_off)]


@sensitive_variables()
def rekey_ended(keyring: Keyring, *, seconds: float = SECONDS) -> None:
    """Give some of these albums and teams their next key, and wrap what waits to be under one; the
    next page goes on. Raises if a part is busy or unavailable."""
    deadline = time.monotonic() + seconds
    # Asked first: Django takes ten milliseconds to compose the questions behind it. Owners have a
    # row, too; without it they have no key to do any of this with.
    if not Member.objects.filter(reader=keyring.user).exists():
        return
    for circle_id in circles_to_rekey(keyring.user):
        if _claim(circle_id):
            # What does not verify, or would shut somebody out, is tried again when it is due.
            with suppress(GalleryError):
                _rekey_ended(keyring, circle_id)
        if time.monotonic() >= deadline:
            return
    for circle_id, image_id in waiting_places(keyring):
        with suppress(GalleryError):
            place_image(keyring=keyring, circle_id=circle_id, image_id=image_id, kind=None)
        if time.monotonic() >= deadline:
            return
    for member_id, album_id in waiting_teams(keyring):
        with suppress(GalleryError):
            share_with_team_again(keyring=keyring, member_id=member_id, album_id=album_id)
        if time.monotonic() >= deadline:
            return


def _claim(circle_id: uuid.UUID) -> bool:
    """Take an album on, unless another page did: as with an image."""
    now = timezone.now()
    free = Q(rekey_after=None) | Q(rekey_after__lte=now)
    return Circle.objects.filter(free, pk=circle_id).update(rekey_after=now + PUT_OFF) == 1


@sensitive_variables()
def _rekey_ended(keyring: Keyring, circle_id: uuid.UUID) -> None:
    """Only where the owner signed these ends, and the row of every signed member is there: an
    altered row must not make them sign a list without somebody."""
    own = own_circle(keyring, circle_id, kind=None)
    over = ended_members().filter(circle=own.circle).select_related("circle__owner")
    invited = (
        ended_invited().filter(circle=own.circle).select_related("circle__owner", "invitation")
    )
    is_whole = everybody_signed_is_a_member(own.circle, own.opener)
    is_over = all(own.opener.is_signed(member) for member in over)
    if is_whole and is_over and all(is_over_as_signed(row, own.opener) for row in invited):
        rekey(keyring=keyring, circle_id=circle_id, keeping_everybody=True)
