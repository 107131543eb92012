"""What pages say of teams: their names, who is in them, and what was shared with them."""

import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.access import Access, with_owners
from gallery.errors import GalleryError
from gallery.members import live_rows, members_as_signed
from gallery.models import Circle, Grant, InvitedGrant, Member, Placement, Row
from gallery.opening import Opener
from gallery.services.invitations import listing
from gallery.services.teams import people_in, teams_of
from gallery.signers import Standing

OFFERED = 50  # teams to choose from, the latest
SHOWN = 60  # images that were shared with a team, the latest


@dataclass(frozen=True)
class TeamLine:
    """One team in a list. `may_share`: with people who join later, too."""

    id: uuid.UUID
    url: str
    state: str
    name: str
    people: int
    owner_name: str
    owner_username: str | None
    is_owner: bool
    may_share: bool
    since: datetime

    @property
    def is_open(self) -> bool:
        return self.state in set(Standing)


def lines_of(person: User, opener: Opener) -> list[TeamLine]:
    """Return a person's teams, by name; no trouble of one keeps the others."""
    members = list(teams_of(person).select_related("circle__owner", "wrapped_key__key_pair"))
    opener.prepare(with_owners(member.circle for member in members))
    prefetch_names(member.circle.owner for member in members)
    rows = live_rows(member.circle for member in members)
    lines = [_line(member, opener, rows[member.circle_id]) for member in members]
    return sorted(lines, key=lambda line: line.name.casefold())


def _line(member: Member, opener: Opener, rows: list[Row]) -> TeamLine:
    team, state, name, people, members_add = member.circle, "closed", "", 0, False
    with suppress(GalleryError):
        name, people = opener.details(member)["title"], len(people_in(team, opener, rows))
        members_add = bool(opener.membership(team)["members_add"])
        state = opener.owner_of(team).standing.value
    owner, is_owner = certified_name(team.owner), team.owner_id == member.reader_id
    return TeamLine(
        id=team.pk,
        url=presenting.address("team", team.pk),
        state=state,
        name=name,
        people=people,
        owner_name=owner.display_name,
        owner_username=owner.username,
        is_owner=is_owner,
        may_share=is_owner or members_add,
        since=member.granted_at,
    )


def line_json(line: TeamLine) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "url": line.url,
        "state": line.state,
        "name": line.name,
        "people": line.people,
        "owner": {"username": line.owner_username, "display_name": line.owner_name},
        "may_share": line.may_share,
        "since": line.since,
    }


# ---- one team --------------------------------------------------------------------------------


def team_context(member: Member, opener: Opener) -> dict[str, Any]:
    """Return what the page of a team shows to somebody in it. Raises Altered, OtherSigner, Waiting
    or AccessEnded."""
    team, details, signer = member.circle, opener.details(member), opener.owner_of(member.circle)
    members, is_owner = members_as_signed(team, opener), team.owner_id == opener.reader_id
    people = [(one, one.reader) for one in members.signed if one.reader]
    prefetch_names(reader for _member, reader in people)
    return {
        "team": {
            "id": team.pk,
            "url": presenting.address("team", team.pk),
            "name": details["title"],
            "description": details["description"],
            "members_add": opener.membership(team)["members_add"],
        },
        "is_owner": is_owner,
        "owner": signer.name,
        "is_verified": signer.standing == Standing.VERIFIED,
        "standing": signer.standing.value,
        "people": [_person(one, reader, team) for one, reader in people],
        "invited": invited_rows(members.invited, opener) if is_owner else [],
        "list_altered": bool(members.unsigned),
        "to_relock": things_to_relock(team.pk),
    }


def invited_rows(rows: list[InvitedGrant], opener: Opener) -> list[dict[str, Any]]:
    """Return who is invited to an album or a team, as its owner is shown them."""
    shown = listing.shown([row.invitation for row in rows], opener)
    return [
        {
            "id": row.invitation_id,
            "name": one.details.display_name if one.details else "",
            "rights": row.rights,
            "ends_at": row.ends_at,
        }
        for row, one in zip(rows, shown, strict=True)
    ]


def _person(member: Member, reader: User, team: Circle) -> dict[str, Any]:
    return {
        **asdict(presenting.person_of(reader)),
        "since": member.granted_at,
        "waiting": member.wrapped_key is None,
        "is_owner": reader.pk == team.owner_id,
    }


def things_to_relock(team: uuid.UUID) -> int:
    """Return how many images and albums have a lock or key still that a former member may know."""
    images = Placement.objects.filter(circle=team, ended_at=None, image__deleted_at=None)
    albums = Member.objects.filter(team=team, ended_at=None, circle__deleted_at=None)
    due = images.exclude(image__relock_after=None).count()
    return due + albums.exclude(circle__rekey_after=None).count()


def own_images_in(team: uuid.UUID, owner: User) -> list[Access]:
    """Return the owner's access to the latest of their images that they shared with a team."""
    places = live_places().filter(circle=team, image__owner=owner).order_by("-granted_at")
    images = list(places.values_list("image", flat=True)[:SHOWN])
    grants = Grant.objects.filter(image__in=images, reader=owner, ended_at=None)
    rows = grants.select_related("image__owner", "wrapped_key__key_pair")
    return [Access(owner, grant) for grant in rows.order_by("-granted_at")]


def live_places() -> QuerySet[Placement]:
    rows = Placement.objects.filter(ended_at=None, image__deleted_at=None)
    return rows.exclude(ends_at__lte=timezone.now())


def own_albums_of(team: uuid.UUID, owner: User, opener: Opener) -> list[str]:
    """Return the titles of the owner's albums that they shared with a team."""
    shared = Member.objects.filter(team=team, circle__owner=owner, ended_at=None)
    albums = shared.exclude(ends_at__lte=timezone.now()).values("circle")
    own = Member.objects.filter(circle__in=albums, reader=owner, ended_at=None)
    members = list(own.select_related("circle__owner", "wrapped_key__key_pair"))
    opener.prepare(with_owners(member.circle for member in members))
    titles = []
    for member in members:
        with suppress(GalleryError):
            titles.append(opener.details(member)["title"])
    return sorted(titles, key=str.casefold)
