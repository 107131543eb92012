"""Albums in lists, and albums to choose from: their titles, as they open for one person."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.utils import timezone

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.access import membership_of, with_owners
from gallery.errors import AccessEnded, Altered, NotYours, OtherSigner, Waiting
from gallery.models import Circle, Member, Placement
from gallery.opening import Opener
from gallery.services.teams import teams_of
from gallery.signers import Standing
from gallery.storage import StorageAway

Result = TypeVar("Result")
OFFERED = 50  # albums to choose from, the latest


@dataclass(frozen=True)
class AlbumCard:
    """One album in a list."""

    id: uuid.UUID
    url: str
    title: str
    state: str
    owner_name: str
    owner_username: str | None
    is_owner: bool
    images: int
    rights: str
    shared_at: datetime
    ends_at: datetime | None
    cover_url: str | None

    @property
    def is_open(self) -> bool:
        return self.state in set(Standing)


def memberships_of(person: User) -> QuerySet[Member]:
    """Return a person's live memberships of albums, and those of teams they are in: of each album
    one."""
    teams = list(teams_of(person).values_list("circle", flat=True))
    albums = {"circle__kind": Circle.Kind.ALBUM, "circle__deleted_at": None}
    rows = Member.objects.filter(ended_at=None, **albums).exclude(ends_at__lte=timezone.now())
    own = rows.filter(reader=person)
    if not teams:
        return own
    through = rows.filter(team__in=teams)
    others = through.filter(circle=OuterRef("circle"), pk__lt=OuterRef("pk"))
    first = through.filter(~Exists(own.filter(circle=OuterRef("circle"))), ~Exists(others))
    return rows.filter(Q(pk__in=own.values("pk")) | Q(pk__in=first.values("pk")))


def live_placements(album: uuid.UUID) -> QuerySet[Placement]:
    rows = Placement.objects.filter(circle=album, ended_at=None, image__deleted_at=None)
    return rows.exclude(ends_at__lte=timezone.now())


def shown_members(members: QuerySet[Member], person: User) -> list[Member]:
    """Return a person's memberships with what a card needs of each: a few queries for all."""
    placed = Placement.objects.filter(
        circle=OuterRef("circle"), ended_at=None, image__deleted_at=None
    )
    newest = placed.order_by("-granted_at").values("image")[:1]
    shown: list[Member] = list(
        members.select_related("circle__owner", "wrapped_key__key_pair", "reader").annotate(
            cover=Subquery(newest, output_field=UUIDField())
        )
    )
    if any(member.team_id for member in shown):
        own = teams_of(person).select_related("circle__owner", "wrapped_key__key_pair", "reader")
        in_teams = {member.circle_id: member for member in own}
        for member in shown:
            member.through = in_teams.get(member.team_id) if member.team_id else None
    return shown


def cards(members: Iterable[Member], opener: Opener | None) -> list[AlbumCard]:
    """Return a card per album; without an opener, as while locked, only what is not content."""
    members = list(members)
    prefetch_names(member.circle.owner for member in members)
    placed = Placement.objects.filter(
        circle__in=[member.circle_id for member in members],
        ended_at=None,
        image__deleted_at=None,
    )
    counts = dict(placed.values_list("circle").annotate(Count("pk")))
    if opener:
        opener.prepare(with_owners(row.circle for member in members for row in member.rows))
    return [_card(member, counts.get(member.circle_id, 0), opener) for member in members]


def _card(member: Member, images: int, opener: Opener | None) -> AlbumCard:
    state, title = _opened(member, opener) if opener else ("locked", "")
    owner, cover = certified_name(member.circle.owner), getattr(member, "cover", None)
    return AlbumCard(
        id=member.circle_id,
        url=presenting.address("album", member.circle_id),
        title=title,
        state=state,
        owner_name=owner.display_name,
        owner_username=owner.username,
        is_owner=member.circle.owner_id == member.reader_id,
        images=images,
        rights=member.rights,
        shared_at=member.granted_at,
        ends_at=member.ends_at,
        cover_url=presenting.address("thumbnail", cover) if cover else None,
    )


def _opened(member: Member, opener: Opener) -> tuple[str, str]:
    """Return state and title; no trouble of one album keeps the others."""
    try:
        details = settled(opener, member, opener.details)
        return opener.owner_of(member.circle).standing.value, details["title"]
    except Altered:
        return "altered", ""
    except OtherSigner:
        return "other-signer", ""
    except Waiting:
        return "waiting", ""
    except (AccessEnded, NotYours, StorageAway):
        return "away", ""


def card_json(card: AlbumCard) -> dict[str, Any]:
    return {
        "id": str(card.id),
        "url": card.url,
        "title": card.title,
        "state": card.state,
        "owner": {"username": card.owner_username, "display_name": card.owner_name},
        "images": card.images,
        "rights": card.rights,
        "shared_at": card.shared_at,
        "ends_at": card.ends_at,
    }


def settled(opener: Opener, member: Member, act: Callable[[Member], Result]) -> Result:
    """Return `act(member)`, tried again if an act of the owner came between its reads."""
    while True:
        try:
            return act(member)
        except Altered:
            if member.own.reader is None:
                raise
            newer = membership_of(member.circle_id, reader=member.own.reader)
            if _state(newer) == _state(member):
                raise
            for row in newer.rows:
                opener.forget(row.circle_id)
            member = newer


def _state(member: Member) -> list[tuple[int, bytes, bytes]]:
    rows = member.rows
    return [(row.circle.epoch, bytes(row.circle.details), bytes(row.salt)) for row in rows]


# ---- albums to choose from ------------------------------------------------------------------


def albums_to_add_to(person: User, opener: Opener) -> list[AlbumCard]:
    """Return the latest albums into which this person may put images, by title."""
    members = shown_members(memberships_of(person).order_by("-granted_at")[:OFFERED], person)
    shown = zip(members, cards(members, opener), strict=True)
    may_add = [card for member, card in shown if card.is_open and _may_add(member, card, opener)]
    return sorted(may_add, key=lambda card: card.title.casefold())


def _may_add(member: Member, card: AlbumCard, opener: Opener) -> bool:
    return card.is_owner or bool(opener.membership(member.circle)["members_add"])
