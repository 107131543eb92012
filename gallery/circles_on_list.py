"""What an owner is shown of the albums and teams on their list of an image, or of an album."""

import uuid
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from accounts.keys.names import prefetch_names
from accounts.models import User
from gallery import presenting
from gallery.access import has_ended, memberships_of_each, with_owners
from gallery.album_cards import settled
from gallery.errors import GalleryError, NotYours
from gallery.members import live_rows, members_as_signed
from gallery.models import Circle, Member, Placement
from gallery.opening import Opener
from gallery.services.teams import TEAM, people_in


class CirclesOnList:
    """The names of these circles, as they open for the owner of the list, and who is in them:
    fetched for all of them at once."""

    def __init__(self, circle_ids: Collection[uuid.UUID], *, owner: User, opener: Opener) -> None:
        self._opener = opener
        self._members = memberships_of_each(circle_ids, reader=owner)
        circles = {member.circle_id: member.circle for member in self._members.values()}
        self._rows = live_rows(circles.values())
        found = [row for rows in self._rows.values() for row in rows if isinstance(row, Member)]
        teams = {row.team.pk: row.team for row in found if row.team} | circles
        self._rows |= live_rows(team for pk, team in teams.items() if pk not in circles)
        opener.prepare(with_owners(teams.values()))
        prefetch_names(circle.owner for circle in circles.values())

    def albums(self, placed: Iterable[Placement]) -> list[dict[str, Any]]:
        """Return the albums that an image was put in, with titles where they can be read."""
        return [self._album(row) for row in placed if row.circle.kind == Circle.Kind.ALBUM]

    def _album(self, row: Placement) -> dict[str, Any]:
        title, url = "", None
        with suppress(GalleryError):  # it ended, or does not verify: its own page says which
            member = self._member(row.circle_id)
            title = settled(self._opener, member, self._opener.details)["title"]
            url = presenting.address("album", row.circle_id)
        return {
            "id": row.circle_id,
            "title": title,
            "url": url,
            "rights": row.rights,
            "ends_at": row.ends_at,
            "waiting": row.wrapped is None and not has_ended(row),
        }

    def teams(self, placed: Iterable[Placement]) -> list[dict[str, Any]]:
        """Return the teams that an image was shared with. No name where its owner is not in the
        team any more, or it does not verify."""
        return [self._team(row, row.circle_id) for row in placed if row.circle.kind == TEAM]

    def teams_of_album(self, members: Iterable[Member]) -> list[dict[str, Any]]:
        """Return the teams that an album was shared with likewise."""
        return [self._team(row, row.team_id) for row in members if row.team_id]

    def _team(self, row: Placement | Member, team: uuid.UUID) -> dict[str, Any]:
        name, people = "", 0
        with suppress(GalleryError):
            member = self._member(team)
            name = self._opener.details(member)["title"]
            people = len(people_in(member.circle, self._opener, self._rows[team]))
        return {
            "id": team,
            "name": name,
            "people": people,
            "rights": row.rights,
            "ends_at": row.ends_at,
            "waiting": row.wrapped is None and not has_ended(row),
        }

    def also_through(self, placed: Iterable[Placement]) -> dict[uuid.UUID, list[str]]:
        """Return, of each person, through which albums and teams they can open an image besides, by
        the names that its owner knows them by: whoever takes access back is not to believe that it
        was all there is."""
        ways: dict[uuid.UUID, list[str]] = {}
        for row in placed:
            with suppress(GalleryError):
                member = self._member(row.circle_id)
                name = self._opener.details(member)["title"]
                for reader in self._everybody_in(member.circle):
                    ways.setdefault(reader, []).append(name)
        return ways

    def _everybody_in(self, circle: Circle) -> set[uuid.UUID]:
        people: set[uuid.UUID] = set()
        for member in members_as_signed(circle, self._opener, self._rows[circle.pk]).signed:
            if member.team:
                with suppress(GalleryError):
                    in_team = people_in(member.team, self._opener, self._rows[member.team.pk])
                    people |= {one.reader_id for one in in_team if one.reader_id}
            elif member.reader_id:
                people.add(member.reader_id)
        return people

    def _member(self, circle_id: uuid.UUID) -> Member:
        """Return the owner's membership of a circle. Raises NotYours where there is none now."""
        if circle_id not in self._members:
            raise NotYours
        return self._members[circle_id]
