"""What happened to one image, newest first, as the audit trail has it: for its owner.

Entries that the audit key does not vouch for are left out: `verify_audit` names them to staff.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.dateparse import parse_datetime
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.keys.names import Name, certified_name, prefetch_names
from accounts.models import User
from audit.events import Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched_before
from gallery.day_words import written
from gallery.models import Grant, SealedImage
from gallery.services.notices import GIVING

PER_PAGE = 60
NAMED = 3  # people in one sentence; the table and JSON have all of them


class What(StrEnum):
    """What can happen to an image."""

    UPLOADED = "uploaded"
    SHARED = "shared"
    CHANGED = "changed"
    ENDED = "ended"
    TAKEN_OUT = "taken-out"
    TEAM_ENDED = "team-ended"
    RELOCKED = "relocked"
    OPENED = "opened"
    DOWNLOADED = "downloaded"
    ACKNOWLEDGED = "acknowledged"
    KEEP_UNTIL = "keep-until"
    EDITED = "edited"
    TAKEN_OVER = "taken-over"


# Of an act of sharing the entry about its notices is read: it names the people.
WHAT = {
    Event.IMAGE_UPLOADED: What.UPLOADED,
    Event.IMAGE_REVOKED: What.ENDED,
    Event.IMAGE_RELOCKED: What.RELOCKED,
    Event.IMAGE_OPENED: What.OPENED,
    Event.IMAGE_DOWNLOADED: What.DOWNLOADED,
    Event.IMAGE_ACKNOWLEDGED: What.ACKNOWLEDGED,
    Event.IMAGE_KEEP_UNTIL_SET: What.KEEP_UNTIL,
    Event.IMAGE_DETAILS_EDITED: What.EDITED,
    Event.IMAGE_TAKEN_OVER: What.TAKEN_OVER,
}
# The entry names whose access ended: a person, or one of these.
ENDED_FOR = {"album": What.TAKEN_OUT, "team": What.TEAM_ENDED}
FILTERS = {
    "opened": [Event.IMAGE_OPENED],
    "downloaded": [Event.IMAGE_DOWNLOADED],
    "sharing": [
        Event.IMAGE_UPLOADED,
        Event.NOTICE_SENT,
        Event.IMAGE_REVOKED,
        Event.IMAGE_RELOCKED,
        Event.IMAGE_KEEP_UNTIL_SET,
        Event.IMAGE_TAKEN_OVER,
    ],
    "acknowledged": [Event.IMAGE_ACKNOWLEDGED],
}


@dataclass(frozen=True)
class Happening:
    """One thing that happened to an image. `people`: who opened or confirmed it, was given access
    or lost it; `is_own`: its owner opened or downloaded it; `by_former`: an earlier owner did it.
    `rights` and `ends_at` are what was given; or the latter is the date that was chosen for its
    deletion."""

    time: datetime
    what: What
    people: list[Name] = field(default_factory=list)
    is_own: bool = False
    by_former: bool = False
    rights: str = ""
    ends_at: datetime | None = None

    @property
    def sentence(self) -> str:
        sentences = {
            What.UPLOADED: _("You uploaded this image."),
            What.SHARED: _("You shared it with %(names)s%(terms)s."),
            What.CHANGED: _("You changed what %(names)s may do%(terms)s."),
            What.ENDED: _("You ended %(names)s’s access."),
            What.TAKEN_OUT: _("You took it out of an album."),
            What.TEAM_ENDED: _("You ended a team’s access."),
            What.RELOCKED: _("It was encrypted again, with a new key."),
            What.OPENED: _("%(names)s opened this image."),
            What.DOWNLOADED: _("%(names)s downloaded this image."),
            What.ACKNOWLEDGED: _("%(names)s confirmed that they have received it."),
            What.KEEP_UNTIL: _("You chose that it is kept until you delete it."),
            What.EDITED: _("You edited its caption or description."),
            What.TAKEN_OVER: _("You took over this image."),
        }
        former = {
            What.UPLOADED: _("An earlier owner uploaded this image."),
            What.SHARED: _("An earlier owner shared it with %(names)s%(terms)s."),
            What.CHANGED: _("An earlier owner changed what %(names)s may do%(terms)s."),
            What.ENDED: _("An earlier owner ended %(names)s’s access."),
            What.TAKEN_OUT: _("An earlier owner took it out of an album."),
            What.TEAM_ENDED: _("An earlier owner ended a team’s access."),
            What.KEEP_UNTIL: _("An earlier owner chose until when it is kept."),
            What.EDITED: _("An earlier owner edited its caption or description."),
            What.TAKEN_OVER: _("An earlier owner took over this image."),
        }
        own = {
            What.OPENED: _("You opened this image."),
            What.DOWNLOADED: _("You downloaded this image."),
        }
        dated = {
            What.UPLOADED: _("You uploaded this image, to be deleted on %(until)s."),
            What.KEEP_UNTIL: _("You chose that it is deleted on %(until)s."),
        }
        words = (self.is_own and own.get(self.what)) or sentences[self.what]
        if self.ends_at and self.what in dated:
            words = dated[self.what]
        if self.by_former:
            words = former.get(self.what, words)
        return words % {"names": self._names(), "terms": self._terms(), "until": self._until()}

    def _names(self) -> str:
        names = [str(name) for name in self.people[:NAMED]] or [_("somebody")]
        more = len(self.people) - NAMED
        if more > 0:
            names.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": more})
        return get_text_list(names, _("and"))

    def _terms(self) -> str:
        if not self.rights:  # entries from when they were not recorded, and other acts
            return ""
        can = _("view only") if self.rights == Grant.Rights.VIEW else _("view and download")
        if self.ends_at is None:
            return _(" (%(can)s, no end date)") % {"can": can}
        return _(" (%(can)s, until %(until)s)") % {"can": can, "until": self._until()}

    def _until(self) -> str:
        return written(self.ends_at, "DATETIME_FORMAT") if self.ends_at else ""


def people_of(image: SealedImage) -> list[User]:
    """Return who can or could open an image, the owner too; a list to choose from, no proof."""
    return list(User.objects.filter(grants__image=image).distinct().order_by("username"))


def happenings_of(
    image: SealedImage, *, only: str = "", person: User | None = None, before: int | None = None
) -> tuple[list[Happening], int | None]:
    """Return a page of what happened, and the number to ask for the next one with, if any.

    `only` is a key of FILTERS, or empty; `person`: only what that person did, or was given. Raises
    AuditUnavailable.
    """
    leaves, following = vouched_before(
        before,
        FILTERS.get(only) or [*WHAT, Event.NOTICE_SENT],
        subject=image.pk,
        actors=[person.pk, image.owner_id] if person else (),
        # Whose notice could not be written was given access all the same.
        outcomes=(Outcome.DONE, Outcome.FAILED),
        at_most=PER_PAGE,
    )
    told = [(leaf, *found) for leaf in leaves if (found := _what_and_who(leaf))]
    if person:
        told = [(leaf, what, [person.pk]) for leaf, what, who in told if person.pk in who]
    return list(_happenings(image, told)), following


def all_happenings_of(
    image: SealedImage, *, only: str = "", person: User | None = None
) -> Iterator[Happening]:
    """Yield everything, a page at a time. Raises AuditUnavailable."""
    found, following = happenings_of(image, only=only, person=person)
    yield from found
    while following is not None:
        found, following = happenings_of(image, only=only, person=person, before=following)
        yield from found


def _what_and_who(leaf: Leaf) -> tuple[What, list[uuid.UUID]] | None:
    if leaf.event == Event.NOTICE_SENT:
        kind = leaf.facts.get("kind")
        return (What(kind), _ids(leaf.facts["people"])) if kind in GIVING else None
    if leaf.outcome != Outcome.DONE:
        return None
    what = WHAT[Event(leaf.event)]
    if what == What.ENDED:
        of_circle = [ended for kind, ended in ENDED_FOR.items() if kind in leaf.facts]
        return (of_circle[0], []) if of_circle else (what, _ids([str(leaf.facts["reader"])]))
    by_readers = what in (What.OPENED, What.DOWNLOADED, What.ACKNOWLEDGED)
    return what, [leaf.actor] if by_readers and leaf.actor else []


def _ids(texts: Collection[str]) -> list[uuid.UUID]:
    return [uuid.UUID(text) for text in texts]


def _happenings(
    image: SealedImage, told: list[tuple[Leaf, What, list[uuid.UUID]]]
) -> Iterator[Happening]:
    people = User.objects.in_bulk({person for _leaf, _what, who in told for person in who})
    prefetch_names(people.values())
    for leaf, what, who in told:
        yield Happening(
            time=leaf.time,
            what=what,
            people=[certified_name(people[person]) for person in who if person in people],
            is_own=who == [image.owner_id],
            by_former=leaf.actor != image.owner_id,
            rights=str(leaf.facts.get("rights", "")),
            ends_at=parse_datetime(str(leaf.facts.get("ends_at") or leaf.facts.get("keep_until"))),
        )
