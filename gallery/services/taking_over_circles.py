"""Taking over an album or a team: as an image is (gallery/services/taking_over.py), by one
statement. Key, title and what is in it stay; so do its members, the former owner left out.
"""

import uuid
from collections import Counter
from collections.abc import Collection
from functools import partial

from django.db.models import Count, F, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from gallery.beside import key_in
from gallery.circle_events import TAKEN_OVER
from gallery.circle_keys import CircleOpener
from gallery.errors import Altered, NotHandedOver, NotYours
from gallery.heads import step
from gallery.members import members_as_signed, only_given_through
from gallery.models import Circle, Member, Rights, SuccessorCircleKey
from gallery.sealing import MEMBERSHIP, set_entry
from gallery.services.acts import starting_anew
from gallery.services.circles.acts import new_member, sign_membership
from gallery.services.succession import (
    Succession,
    anew_if_taken,
    carry_out,
    handed_over,
    own_key,
    places_to_take_over,
)
from gallery.services.successors import circles_to_keep
from gallery.services.teams import teams_of
from gallery.services.uploading import Terms


@sensitive_variables()
def take_over_circle(*, keyring: Keyring, circle_id: uuid.UUID) -> Circle:
    """Become the owner of an album or a team whose owner named this person a successor, and was
    disabled. Every member stays; invitations that were not used yet end. Raises as take_over()."""
    return starting_anew(lambda: _take_over_once(keyring, circle_id))


@sensitive_variables()
def _take_over_once(keyring: Keyring, circle_id: uuid.UUID) -> Circle:
    circle = Circle.objects.filter(pk=circle_id, deleted_at=None).select_related("owner").first()
    if circle is None or circle.kind not in TAKEN_OVER:
        raise NotYours
    opener = CircleOpener(keyring)
    with anew_if_taken(circle):
        places = places_to_take_over(circle, opener, reader=keyring.user)
        taken = _signed(keyring, opener, circle, places)
    carry_out(TAKEN_OVER[circle.kind], taken, partial(_store, circle))
    return circle


def circles_to_take_over(member: Member) -> list[uuid.UUID]:
    """Return the owner's albums and teams whose keys this successor can use now: teams first, so
    that an album's next key finds its new owner in them."""
    keys = usable_circle_keys().filter(team=member.circle)
    return list(keys.order_by("-circle__kind", "circle__made_at").values_list("circle", flat=True))


def kinds_to_take_over(
    members: Collection[Member],
) -> dict[uuid.UUID, tuple[Counter[str], Counter[str]]]:
    """Return, by circle of successors, how many circles of each kind there are, and of how many
    these can use the keys now: three queries for all."""
    named_in = {member.circle_id: member.circle for member in members}
    there = circles_to_keep({circle.owner_id for circle in named_in.values()})
    found = {pk: (Counter[str](), Counter[str]()) for pk in named_in}
    for owner, kind, count in there.values_list("owner", "kind").annotate(Count("pk")):
        for circle in named_in.values():
            if circle.album_id is None and circle.owner_id == owner:
                found[circle.pk][0][kind] = count
    albums = there.filter(successors__in=named_in, successors__owner=F("owner"))
    for pk, kind in albums.values_list("successors", "kind"):
        found[pk][0][kind] = 1
    keys = usable_circle_keys().filter(team__in=named_in).values_list("team", "circle__kind")
    for pk, kind, count in keys.annotate(Count("pk")):
        found[pk][1][kind] = count
    return found


def usable_circle_keys() -> QuerySet[SuccessorCircleKey]:
    """Return the keys of circles that are there, of their present epoch and owner's successors."""
    return SuccessorCircleKey.objects.filter(
        epoch=F("circle__epoch"),
        team_epoch=F("team__epoch"),
        circle__owner=F("team__owner"),
        circle__deleted_at=None,
    )


@sensitive_variables()
def _signed(
    keyring: Keyring, opener: CircleOpener, circle: Circle, places: list[Member]
) -> Succession:
    """Return what is to be stored, signed by the new owner. From here on the circle in memory is
    theirs."""
    head = opener.to_follow(MEMBERSHIP, circle)
    former, signed = circle.owner, opener.membership(circle)
    opener.owner_of(circle)  # refused if it is not the compared key
    member, key = handed_over(places, partial(_key_by, opener, circle))
    opener.details_under(key, circle)  # the next statement signs them again
    circle.members_add = signed["members_add"]
    members = members_as_signed(circle, opener)
    kept = [row for row in members.signed if row.reader_id not in (former.pk, keyring.user.pk)]
    rows = [row for row in members.signed if row.reader_id == keyring.user.pk]
    terms = Terms(Rights.DOWNLOAD.value, None)
    own = rows[0] if rows else new_member(circle, keyring.user, None, terms)
    set_entry(own, rights=terms.rights, ends_at=terms.ends_at)
    wrapped = own_key(keyring, key, circle)
    circle.owner = keyring.user
    theirs = list(circle.members.filter(reader=former, ended_at=None))
    # The former owner had the key. The next one would shut out the members of a team that the new
    # owner is not in, until somebody who is in it shares the album again.
    teams = {row.team_id for row in kept if row.team_id}
    if teams <= set(teams_of(keyring.user).values_list("circle", flat=True)):
        circle.rekey_after = timezone.now()
    return Succession(
        subject=circle,
        former=former,
        named_in=member.circle,
        named_by=opener.newest(MEMBERSHIP, member.circle),
        head=head,
        statements=[sign_membership(circle, key, [own, *kept], keyring=keyring, previous=head)],
        own=own,
        key=wrapped,
        told=[*kept, *only_given_through(kept, [own, *kept], opener)],
        ending=[*theirs, *members.invited, *members.unsigned],
        unsigned=[row for row in members.unsigned if row not in theirs],
    )


@sensitive_variables()
def _key_by(opener: CircleOpener, circle: Circle, member: Member) -> bytes:
    """Return the circle's key, which the former owner's pages wrapped for these successors."""
    successors, successors_key = member.circle, opener.circle_key_for(member)
    row = SuccessorCircleKey.objects.filter(circle=circle, team=successors).first()
    if row is None or (row.epoch, row.team_epoch) != (circle.epoch, successors.epoch):
        raise NotHandedOver
    with step("successor-key"):
        key = key_in(row, successors_key)
    if not opener.is_circle_key(key, circle):
        raise Altered("commitment")
    return key


def _store(circle: Circle) -> None:
    SuccessorCircleKey.objects.filter(circle=circle).delete()
    circle.save(update_fields=["owner", "members_add", "rekey_after"])
