"""Sharing a sealed image later, and changing what was granted.

Each act is one new share statement that replaces the one before.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.pins import contacts_of
from accounts.keys.recipients import Reader, lock_keys
from accounts.models import User, WrappedKey
from audit.events import Event
from cryptocore import statements
from gallery.beside import Held, hold_circles, wrap_beside
from gallery.circle_keys import CircleOpener
from gallery.errors import Altered, HeadMoved, TooManyReaders
from gallery.models import (
    Grant,
    Listed,
    Member,
    Statement,
    Subject,
)
from gallery.opening import Opener
from gallery.readers import readers_as_signed
from gallery.sealing import (
    SHARE,
    set_entry,
    share_fields,
    sign_statement,
    wrap_for,
)
from gallery.services.acts import (
    anew_if_moved,
    end_expired,
    hold,
    image_act,
    owners_access,
    require_present_signer,
    starting_anew,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.teams import team_to_share_with
from gallery.services.uploading import Terms, new_grant, new_place

Given = TypeVar("Given", Grant, Member)


@dataclass
class Shared(Generic[Given]):
    """What an act of sharing did: whose grants (of an album: memberships) are new, changed, or were
    so already. `teams`: the rows of teams, new or changed."""

    added: list[Given] = field(default_factory=list)
    changed: list[Given] = field(default_factory=list)
    unchanged: list[Given] = field(default_factory=list)
    teams: list[Held] = field(default_factory=list)

    @property
    def listed(self) -> list[Listed]:
        """What the list did not have before."""
        return [*self.added, *(row for row in self.teams if row._state.adding)]

    @property
    def touched(self) -> list[Given]:
        return self.added + self.changed

    @property
    def waiting(self) -> list[Given]:
        """Whose next keys have to be made before the image can be shared with them once more."""
        everybody = self.touched + self.unchanged
        return [grant for grant in everybody if grant.wrapped_key is None]


@sensitive_variables()
def share_image(
    *,
    keyring: Keyring,
    image_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    teams: Collection[uuid.UUID] = (),
) -> Shared[Grant]:
    """Grant `recipients`, and whoever is or will be in `teams`, access to the owner's image;
    somebody who has it already gets the new terms.

    Raises NotYours, NotAllowed, Altered, TooManyReaders, NoKeys, KeyChanged, ContactsRefused or
    HeadMoved, and as team_to_share_with(); then nothing has changed.
    """
    return starting_anew(lambda: _share_once(keyring, image_id, recipients, terms, teams))


@sensitive_variables()
def _share_once(
    keyring: Keyring,
    image_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    teams: Collection[uuid.UUID],
) -> Shared[Grant]:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    image = access.image
    with anew_if_moved(access):
        head = opener.to_follow(SHARE, image)
        readers = readers_as_signed(image, opener)
        if readers.unsigned:
            raise Altered("entries")
        content_key = opener.content_key_for(access)
    contacts_of(keyring).require_unchanged(recipients)
    kept, shared = readers.signed, Shared[Grant]()
    wrap = partial(wrap_for, content_key=content_key, image_id=image.pk, lock=image.lock)
    new = partial(new_grant, image)
    for reader in recipients:
        give(reader, kept, terms, shared, wrap=wrap, new=new)
    for team_id in teams:
        team = team_to_share_with(team_id, opener, reader=keyring.user)
        place = new_place(image, team, terms)
        give_team(place, readers.placed, terms, shared, content_key, lock=image.lock, opener=opener)
    listed = [*kept, *readers.beside, *shared.listed]
    require_listable(listed)
    if shared.touched or shared.teams:
        fields = share_fields(listed)
        share = sign_statement(SHARE, fields, keyring=keyring, subject=image.pk, previous=head)
        with image_act(Event.IMAGE_SHARED, image, signed=[share], **facts_of_teams(shared)):
            sent = store_shared(image, head, share, shared)
        truncate_write_ahead_log()  # of whom it ended by date
        record_notices(sent)
    return shared


def require_listable(listed: Sequence[Listed]) -> None:
    """Raises TooManyReaders for more than one statement can list."""
    if len(listed) > statements.MAX_ENTRIES:
        raise TooManyReaders


@sensitive_variables()
def give(
    reader: Reader,
    kept: Sequence[Given],
    terms: Terms,
    shared: Shared[Given],
    *,
    wrap: Callable[[Reader], WrappedKey | None],
    new: Callable[[User, WrappedKey | None, Terms], Given],
) -> None:
    """Sort one person into `shared`, with what their row is to become; nothing is stored."""
    row = next((row for row in kept if row.reader_id == reader.user.pk), None)
    if row and row.wrapped_key and _has_terms(row, terms):
        shared.unchanged.append(row)
        return
    key = wrap(reader)
    if row is None:
        shared.added.append(new(reader.user, key, terms))
    elif key is None and _has_terms(row, terms):
        shared.unchanged.append(row)
    else:
        row.wrapped_key = row.wrapped_key or key
        set_entry(row, rights=terms.rights, ends_at=terms.ends_at)
        shared.changed.append(row)


@sensitive_variables()
def give_team(
    row: Held,
    kept: Iterable[Held],
    terms: Terms,
    shared: Shared[Given],
    key: bytes,
    *,
    lock: int,
    opener: CircleOpener,
) -> None:
    """Sort a team into `shared`, as give() does a person; `row` is what is new if none is kept."""
    given = next((one for one in kept if one.holder == row.holder), row)
    if given is row or given.wrapped is None or not _has_terms(given, terms):
        set_entry(given, rights=terms.rights, ends_at=terms.ends_at)
        wrap_beside(given, key, lock=lock, opener=opener)
        shared.teams.append(given)


def facts_of_teams(shared: Shared[Given]) -> dict[str, list[str]]:
    """Return what the trail keeps of the teams that something was shared with."""
    return {"teams": [str(row.holder[1]) for row in shared.teams]} if shared.teams else {}


def _has_terms(row: Listed, terms: Terms) -> bool:
    return (row.rights, row.ends_at) == (terms.rights, terms.ends_at)


def store_shared(
    about: Subject, head: Statement, signed: Statement, shared: Shared[Given]
) -> list[Sent]:
    """Store in one transaction what was shared of an image, or of an album. Raises NoKeys or
    HeadMoved."""
    with transaction.atomic():
        hold_circles(shared.teams)
        hold(about, head)
        # Keys that are stored stay as they are now: what was read may be older than a rotation
        # that wrapped them again.
        keys = [row.wrapped_key for row in shared.touched]
        new_keys = [key for key in keys if key is not None and key._state.adding]
        readers: list[User] = [row.reader for row in shared.touched if row.reader is not None]
        lock_keys((key.key_pair for key in new_keys), besides=[about.owner, *readers])
        require_present_signer(about.owner, signed)
        # A waiting reader may have been given a key meanwhile, which moves no head (resharing.py).
        waiting = [one for one in shared.changed if one.wrapped_key in new_keys]
        if any(type(one).objects.get(pk=one.pk).wrapped_key_id for one in waiting):
            raise HeadMoved
        end_expired(about)
        signed.save(force_insert=True)
        for key in new_keys:
            key.save(force_insert=True)
        for given in (*shared.added, *shared.teams):
            given.save()
        for row in shared.changed:
            # A key that is not new may have been exchanged meanwhile: its column stays as it is.
            columns = ["rights", "ends_at", "entry", "salt"]
            columns += ["wrapped_key"] if row.wrapped_key in new_keys else []
            row.save(update_fields=columns)
        return [
            send_notices(NoticeKind.SHARED, shared.added),
            send_notices(NoticeKind.CHANGED, shared.changed),
        ]
