"""Who can open something already, in the words a page says it: people, albums, teams, people one
invited. Shown to the owner of a list alone, before anybody else gets access."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.keys.names import certified_name, prefetch_names
from accounts.models import User
from gallery.access import has_ended, membership_of
from gallery.album_cards import settled
from gallery.errors import GalleryError
from gallery.members import members_as_signed
from gallery.models import Circle, Invitation, InvitedGrant, Placement
from gallery.opening import Opener
from gallery.services.invitations import listing
from gallery.services.teams import TEAM

Named = list[tuple[str, int]]  # in words, and how many of the images


def circles_of_images(images: Collection[uuid.UUID], owner: User, opener: Opener) -> Named:
    """Return the albums that these images are in, the teams they were shared with, and the people
    invited to them."""
    placed = Placement.objects.filter(image__in=images, ended_at=None).select_related("circle")
    counted = Counter(row.circle for row in placed if not has_ended(row))
    named = [(circle_in_words(circle, owner, opener), n) for circle, n in counted.items()]
    return sorted(named) + invited_to(images, opener)


def invited_to(images: Collection[uuid.UUID], opener: Opener) -> Named:
    """Return the people whose open invitations carry these images."""
    carried = InvitedGrant.objects.filter(image__in=images, ended_at=None)
    rows = carried.select_related("invitation__wrapped_key__key_pair")
    invited = Counter(row.invitation for row in rows if not row.is_over and not has_ended(row))
    return sorted(zip(invited_in_words(invited, opener), invited.values(), strict=True))


def members_in_words(circle: Circle, opener: Opener, *, besides: Iterable[User] = ()) -> list[str]:
    """Return who is in an album or team, besides its owner and these people. Raises Altered."""
    members, left_out = members_as_signed(circle, opener), {circle.owner, *besides}
    people = [one.reader for one in members.signed if one.reader and one.reader not in left_out]
    prefetch_names(people)
    teams = [one.team for one in members.signed if one.team]
    return [
        *(certified_name(person).in_full for person in people),
        *(circle_in_words(team, circle.owner, opener) for team in teams),
        *invited_in_words((row.invitation for row in members.invited), opener),
    ]


@dataclass(frozen=True)
class AlbumInWords:
    """An album to which images are added. `owner`, of somebody else's: they alone are shown who the
    members are."""

    title: str
    owner: str
    members: list[str]

    @property
    def is_shared(self) -> bool:
        return bool(self.owner or self.members)

    @property
    def everybody(self) -> str:
        return _("everybody who can open the album “%(title)s”") % {"title": self.title}


def album_in_words(album_id: uuid.UUID, opener: Opener, *, reader: User) -> AlbumInWords:
    """Raises what membership_of() and opening its title do."""
    member = membership_of(album_id, reader=reader)
    title = settled(opener, member, opener.details)["title"]
    if member.circle.owner_id != reader.pk:
        return AlbumInWords(title, certified_name(member.circle.owner).in_full, [])
    return AlbumInWords(title, "", members_in_words(member.circle, opener))


def circle_in_words(circle: Circle, reader: User, opener: Opener) -> str:
    title = ""
    with suppress(GalleryError):  # not in it any more, or it does not verify
        member = membership_of(circle.pk, reader=reader, kind=circle.kind)
        title = opener.details(member)["title"]
    if circle.kind == TEAM:
        sentence = _("the people in the team “%(title)s”") if title else _("a team you are not in")
    else:
        sentence = _("the album “%(title)s”") if title else _("an album you cannot open")
    return sentence % {"title": title}


def invited_in_words(invitations: Iterable[Invitation], opener: Opener) -> list[str]:
    shown = listing.shown(invitations, opener)
    return [
        _("%(name)s (invited)") % {"name": one.details.display_name}
        if one.details
        else _("somebody you invited")
        for one in shown
    ]
