"""What a person did with images themselves, newest first, as the audit trail has it.

Entries that the audit key does not vouch for are left out: `verify_audit` names them to staff.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.keys.names import Name, certified_name, prefetch_names
from accounts.models import User
from audit.events import Event
from audit.leaf import Leaf
from audit.unreadable import as_id
from audit.vouched import vouched_before
from gallery.image_trail import KINDS
from gallery.models import Circle, SealedImage

PER_PAGE = 60

# The events that are shown, each with its sentence.
WORDS = {
    Event.IMAGE_UPLOADED: _("You uploaded an image."),
    Event.IMAGE_SHARED: _("You shared an image, or changed permissions."),
    Event.IMAGE_REVOKED: _("You ended %(reader)s’s access to an image."),
    Event.IMAGE_DELETED: _("You deleted an image."),
    Event.IMAGE_KEEP_UNTIL_SET: _("You chose until when an image is kept."),
    Event.IMAGE_DETAILS_EDITED: _("You edited the caption or description of an image."),
    Event.IMAGE_TAKEN_OVER: _("You took over an image."),
    Event.ALBUM_MADE: _("You made an album."),
    Event.ALBUM_CHANGED: _("You changed an album’s title, description or rules."),
    Event.ALBUM_SHARED: _("You shared an album, or changed permissions."),
    Event.ALBUM_REVOKED: _("You ended %(reader)s’s access to an album."),
    Event.ALBUM_DELETED: _("You deleted an album."),
    Event.ALBUM_TAKEN_OVER: _("You took over an album."),
    Event.TEAM_TAKEN_OVER: _("You took over a team."),
    Event.SUCCESSORS_NAMED: _("You named successors."),
    Event.SUCCESSORS_REMOVED: _("You removed %(reader)s from your successors."),
    Event.SUCCESSORS_DELETED: _("You removed your last successor."),
    Event.IMAGE_OPENED: _("You opened an image of %(owner)s."),
    Event.IMAGE_DOWNLOADED: _("You downloaded an image of %(owner)s."),
}
# The same where the image is one's own.
OWN_WORDS = {
    Event.IMAGE_OPENED: _("You opened an image of your own."),
    Event.IMAGE_DOWNLOADED: _("You downloaded an image of your own."),
}
# Of acts on an image that concern an album.
ALBUM_WORDS = {
    Event.IMAGE_SHARED: _("You added an image to an album."),
    Event.IMAGE_REVOKED: _("You took an image out of an album."),
}
# Of acts on the successors for one album.
ALBUMS_SUCCESSORS_WORDS = {
    Event.SUCCESSORS_NAMED: _("You named successors for an album."),
    Event.SUCCESSORS_REMOVED: _("You removed %(reader)s from the successors for an album."),
    Event.SUCCESSORS_DELETED: _("You removed the last successor for an album."),
}
# Of acts that sign nothing: who is on the list already gets the key they lack.
AGAIN_WORDS = {
    Event.IMAGE_SHARED: _("You shared an image again with %(reader)s: its key was missing."),
    Event.ALBUM_SHARED: _("You shared an album again with %(reader)s: its key was missing."),
    Event.SUCCESSORS_NAMED: _(
        "You shared again with your successor %(reader)s: their key was missing."
    ),
}
# Of acts on neither an image nor an album.
ABOUT_NEITHER = {
    Event.TEAM_TAKEN_OVER,
    *(Event.SUCCESSORS_NAMED, Event.SUCCESSORS_REMOVED, Event.SUCCESSORS_DELETED),
}
# What one may ask for, and the events it stands for.
FILTERS = {
    "shared": [
        *(Event.IMAGE_UPLOADED, Event.IMAGE_SHARED),
        *(Event.ALBUM_MADE, Event.ALBUM_SHARED, Event.SUCCESSORS_NAMED),
    ],
    "ended": [
        *(Event.IMAGE_REVOKED, Event.IMAGE_DELETED),
        *(Event.ALBUM_REVOKED, Event.ALBUM_DELETED),
        *(Event.SUCCESSORS_REMOVED, Event.SUCCESSORS_DELETED),
    ],
    "opened": [Event.IMAGE_OPENED],
    "downloaded": [Event.IMAGE_DOWNLOADED],
}


@dataclass(frozen=True)
class Deed:
    """One thing a person did with an image, an album, a team or their successors. `owner` and
    `reader` where we still know them, `of_team` if it was a team's access that ended; `album_id`:
    of what was done with an album, or with an image for one; `has_signed`: a list or a picture."""

    time: datetime
    event: Event
    image_id: uuid.UUID | None
    album_id: uuid.UUID | None
    owner: Name | None
    reader: Name | None
    of_team: bool
    is_own: bool
    is_deleted: bool
    has_signed: bool

    @property
    def is_about_something(self) -> bool:
        """Whether it can be said of what it was: an entry about a page of thumbnails names none."""
        return bool(self.image_id or self.album_id) or self.event in ABOUT_NEITHER

    @property
    def sentence(self) -> str:
        words = (self.is_own and OWN_WORDS.get(self.event)) or WORDS[self.event]
        if self.image_id and self.album_id:
            words = ALBUM_WORDS.get(self.event, words)
        elif self.album_id:
            words = ALBUMS_SUCCESSORS_WORDS.get(self.event, words)
        if not self.has_signed:
            words = AGAIN_WORDS.get(self.event, words)
        somebody = str(_("somebody"))
        reader = self.reader or (str(_("a team")) if self.of_team else somebody)
        names = {"owner": self.owner or somebody, "reader": reader}
        return str(words) % names


def deeds_of(
    person: User, *, only: str = "", before: int | None = None
) -> tuple[list[Deed], int | None]:
    """Return a page of what a person did, and the number to ask for the next one with, if any.

    `only` is a key of FILTERS, or empty for everything. Raises AuditUnavailable.
    """
    events = FILTERS.get(only) or list(WORDS)
    leaves, following = vouched_before(before, events, actors=[person.pk], at_most=PER_PAGE)
    return list(_deeds(leaves, person)), following


def all_deeds_of(person: User, *, only: str = "") -> Iterator[Deed]:
    """Yield everything a person did, a page at a time. Raises AuditUnavailable."""
    deeds, following = deeds_of(person, only=only)
    yield from deeds
    while following is not None:
        deeds, following = deeds_of(person, only=only, before=following)
        yield from deeds


def _deeds(leaves: list[Leaf], person: User) -> Iterator[Deed]:
    subjects = {leaf.subject for leaf in leaves if leaf.subject}
    images = SealedImage.objects.select_related("owner").in_bulk(subjects)
    named = {as_id(str(leaf.facts.get("album", ""))) for leaf in leaves}
    albums = Circle.objects.filter(deleted_at=None).in_bulk(subjects | named - {None})
    readers = {str(leaf.facts["reader"]) for leaf in leaves if "reader" in leaf.facts}
    people = {str(pk): user for pk, user in User.objects.in_bulk(readers).items()}
    prefetch_names([*people.values(), *(image.owner for image in images.values())])
    for leaf in leaves:
        image = images.get(leaf.subject) if leaf.subject else None
        is_album = leaf.event.startswith("album:")
        album = leaf.subject if is_album else as_id(str(leaf.facts.get("album", "")))
        reader = people.get(str(leaf.facts.get("reader")))
        yield Deed(
            time=leaf.time,
            event=Event(leaf.event),
            image_id=None if is_album or leaf.event in ABOUT_NEITHER else leaf.subject,
            album_id=album,
            owner=certified_name(image.owner) if image else None,
            reader=certified_name(reader) if reader else None,
            of_team="team" in leaf.facts,
            is_own=image is not None and image.owner_id == person.pk,
            is_deleted=album not in albums
            if is_album or leaf.event in ABOUT_NEITHER
            else image is None or image.deleted_at is not None,
            has_signed=not leaf.facts.keys().isdisjoint(KINDS),
        )
