"""What the page of one album shows: what was opened of it, and its members as its owner signed
them."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db.models import Count, QuerySet

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.access import Access, Through
from gallery.album_cards import live_placements, settled
from gallery.circles_on_list import CirclesOnList
from gallery.members import Members, members_as_signed
from gallery.models import Circle, Member, Placement
from gallery.opening import Opener
from gallery.signers import Standing
from gallery.team_pages import invited_rows


def album_context(member: Member, opener: Opener) -> dict[str, Any]:
    """Return what the page of an album shows besides its images. Raises Altered, OtherSigner,
    Waiting or AccessEnded."""
    return settled(opener, member, lambda member: _album_context(member, opener))


def _album_context(member: Member, opener: Opener) -> dict[str, Any]:
    circle, details = member.circle, opener.details(member)
    is_owner, signed = circle.owner_id == member.reader_id, opener.membership(circle)
    signer = opener.owner_of(circle)
    context: dict[str, Any] = {
        "album": {
            **details,
            "id": circle.pk,
            "url": presenting.address("album", circle.pk),
            "members_add": signed["members_add"],
        },
        "is_owner": is_owner,
        "may_add": is_owner or signed["members_add"],
        "owner": signer.name,
        "standing": signer.standing.value,
        "is_verified": signer.standing == Standing.VERIFIED,
        "rights": member.rights,
        "ends_at": member.ends_at,
    }
    if is_owner:
        members = members_as_signed(circle, opener)
        context |= _members_context(members, circle, opener)
        teams = {one.team_id for one in members.signed if one.team_id}
        on_list = CirclesOnList(teams, owner=circle.owner, opener=opener)
        context["teams"] = on_list.teams_of_album(members.signed)
    return context


def _members_context(members: Members, circle: Circle, opener: Opener) -> dict[str, Any]:
    others = [(one, one.reader) for one in members.signed if one.reader_id != circle.owner_id]
    prefetch_names(reader for _, reader in others if reader)
    return {
        "rows": [_row(one, reader) for one, reader in others if reader],
        "invited": invited_rows(members.invited, opener),
        "list_altered": bool(members.unsigned),
        "to_relock": _to_relock(circle),
    }


def _row(member: Member, reader: User) -> dict[str, Any]:
    return {
        **asdict(presenting.person_of(reader)),
        "rights": member.rights,
        "ends_at": member.ends_at,
        "granted_at": member.granted_at,
        "waiting": member.wrapped_key is None,
    }


def _due(album: uuid.UUID) -> QuerySet[Placement]:
    """Return what still has the lock that a former member may know."""
    return live_placements(album).exclude(image__relock_after=None)


def images_to_relock(album: uuid.UUID) -> int:
    return _due(album).count()


def _to_relock(circle: Circle) -> list[dict[str, Any]]:
    """Return how many images are due for a new lock, and whose."""
    due = _due(circle.pk)
    counted = dict(due.values_list("image__owner").annotate(Count("pk")))
    owners = list(User.objects.filter(pk__in=counted).order_by("username"))
    prefetch_names(owners)
    return [
        {
            "username": certified_name(owner).username,
            "display_name": certified_name(owner).display_name,
            "is_owner": owner.pk == circle.owner_id,
            "images": counted[owner.pk],
        }
        for owner in owners
    ]


def accesses_through(
    member: Member, placements: Iterable[Placement], *, reader: User
) -> list[Access]:
    """Return the reader's access to each of these images through the album."""
    accesses = []
    for placement in placements:
        placement.circle = member.circle
        accesses.append(Access(reader, Through(member, placement)))
    return accesses
