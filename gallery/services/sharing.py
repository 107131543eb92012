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
from accounts.keys.recipients import Reader, hold_people
from accounts.models import User, WrappedKey
from audit.events import Event
from cryptocore import statements
from gallery.beside import Held, hold_circles, hold_invitations, wrap_beside
from gallery.circle_keys import CircleOpener
from gallery.errors import Altered, HeadMoved, TooManyReaders
from gallery.invitation_keys import InvitationKey
from gallery.members import given_through
from gallery.models import (
    Ended,
    Grant,
    Invitation,
    InvitedGrant,
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
    end_rows,
    hold,
    owners_access,
    owners_act,
    require_present_signer,
    starting_anew,
)
from gallery.services.notices import NoticeKind, Sent, record_notices, send_notices
from gallery.services.teams import team_to_share_with
from gallery.services.uploading import Terms, new_grant, new_invited, new_place

Given = TypeVar("Given", Grant, Member)


@dataclass
class Shared(Generic[Given]):
    """What an act of sharing did: whose grants (of an album: memberships) are new, changed, or were
    so already.

    `invited`: what invitations carry of it since; `dropped`: what one carried until now. `teams`:
    the rows of teams, new or changed.
    """

    added: list[Given] = field(default_factory=list)
    changed: list[Given] = field(default_factory=list)
    unchanged: list[Given] = field(default_factory=list)
    invited: list[InvitedGrant] = field(default_factory=list)
    dropped: list[InvitedGrant] = field(default_factory=list)
    teams: list[Held] = field(default_factory=list)
    # Of new and of changed rows of teams: what each person in one has through it, for notices.
    new_through: list[Grant | Member] = field(default_factory=list)
    changed_through: list[Grant | Member] = field(default_factory=list)

    @property
    def listed(self) -> list[Listed]:
        """The people and teams that the list did not name before."""
        return [*self.added, *(row for row in self.teams if row._state.adding)]

    @property
    def is_anything(self) -> bool:
        """Whether the next list says anything else than the one before."""
        return any((self.touched, self.invited, self.dropped, self.teams))

    @property
    def touched(self) -> list[Given]:
        return self.added + self.changed

    @property
    def told(self) -> dict[NoticeKind, list[Grant | Member]]:
        """Of what people are sent notices: who has a row of their own, of that alone."""
        own = {row.reader_id for row in [*self.touched, *self.unchanged]}
        told: dict[NoticeKind, list[Grant | Member]] = {
            NoticeKind.SHARED: [*self.added],
            NoticeKind.CHANGED: [*self.changed],
        }
        for kind, through in (
            (NoticeKind.SHARED, self.new_through),
            (NoticeKind.CHANGED, self.changed_through),
        ):
            told[kind] += [row for row in through if row.reader_id not in own]
        return told

    @property
    def waiting(self) -> list[Given]:
        """Whose next keys have to be made before the image can be shared with them once more."""
        everybody = self.touched + self.unchanged
        return [grant for grant in everybody if grant.wrapped_key is None]


@dataclass(frozen=True)
class Recipients:
    """Whom an image is shared with, and which invitation hands it over to them. `teams`: with
    whoever is in them, later too."""

    people: list[Reader]
    invitations: Sequence[InvitationKey]
    instead_of: Invitation | None
    teams: Collection[uuid.UUID]


@sensitive_variables()
def share_image(
    *,
    keyring: Keyring,
    image_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    invitations: Sequence[InvitationKey] = (),
    instead_of: Invitation | None = None,
    teams: Collection[uuid.UUID] = (),
) -> Shared[Grant]:
    """Grant `recipients`, the people of `invitations`, and whoever is or will be in `teams`, access
    to the owner's image; somebody who has it already gets the new terms. `instead_of` carries it no
    longer.

    Raises NotYours, NotAllowed, Altered, TooManyReaders, NoKeys, KeyChanged, ContactsRefused or
    HeadMoved, and as team_to_share_with(); then nothing has changed.
    """
    to = Recipients(recipients, invitations, instead_of, teams)
    return starting_anew(lambda: _share_once(keyring, image_id, to, terms))


@sensitive_variables()
def _share_once(
    keyring: Keyring, image_id: uuid.UUID, to: Recipients, terms: Terms
) -> Shared[Grant]:
    access, opener = owners_access(keyring, image_id), Opener(keyring)
    image = access.image
    with anew_if_moved(access):
        head = opener.to_follow(SHARE, image)
        readers = readers_as_signed(image, opener)
        if readers.unsigned:
            raise Altered("entries")
        content_key = opener.content_key_for(access)
    contacts_of(keyring).require_unchanged(to.people)
    shared = Shared[Grant]()
    wrap = partial(wrap_for, content_key=content_key, subject=image.pk, lock=image.lock)
    new = partial(new_grant, image)
    for reader in to.people:
        give(reader, readers.signed, terms, shared, wrap=wrap, new=new)
    for key in to.invitations:
        carry(key, readers.invited, image, content_key, terms, shared)
    for team_id in to.teams:
        place = new_place(image, team_to_share_with(team_id, opener, reader=keyring.user), terms)
        give_team(place, readers.placed, terms, shared, content_key, lock=image.lock, opener=opener)
    invited = still_invited(readers.invited, shared, to.instead_of)
    listed = [*readers.signed, *readers.placed, *shared.listed, *invited]
    require_listable(listed)
    if shared.is_anything:
        fields = share_fields(listed)
        share = sign_statement(SHARE, fields, keyring=keyring, subject=image.pk, previous=head)
        with owners_act(Event.IMAGE_SHARED, image, signed=[share], **facts_of_teams(shared)):
            sent = store_shared(image, head, share, shared, listed=listed)
        truncate_write_ahead_log()  # end_expired() destroyed keys
        record_notices(sent)
    return shared


def still_invited(
    invited: Iterable[InvitedGrant], shared: Shared[Given], instead_of: Invitation | None
) -> list[InvitedGrant]:
    """Return which rows of invitations the next list says, and note in `shared` what it says no
    longer."""
    rows = [row for row in invited if row not in shared.invited]
    shared.dropped = [row for row in rows if row.invitation == instead_of]
    return [row for row in rows if row.invitation != instead_of] + shared.invited


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
    is_changed = not _has_terms(given, terms)
    if given is row or given.wrapped is None or is_changed:
        set_entry(given, rights=terms.rights, ends_at=terms.ends_at)
        wrap_beside(given, key, lock=lock, opener=opener)
        shared.teams.append(given)
    if given is row:
        shared.new_through += given_through(given, opener)
    elif is_changed:
        shared.changed_through += given_through(given, opener)


def facts_of_teams(shared: Shared[Given]) -> dict[str, list[str]]:
    """Return what the trail keeps of the teams that something was shared with."""
    return {"teams": [str(row.holder[1]) for row in shared.teams]} if shared.teams else {}


@sensitive_variables()
def carry(
    key: InvitationKey,
    kept: Sequence[InvitedGrant],
    about: Subject,
    content_key: bytes,
    terms: Terms,
    shared: Shared[Given],
) -> None:
    """Put into `shared` what an invitation is to carry, if it does not yet; nothing is stored."""
    row = next((row for row in kept if row.invitation == key.invitation), None)
    if row and row.wrapped is not None and _has_terms(row, terms):
        return
    if row is None:
        row = new_invited(key, about, content_key, terms)
    else:
        row.lock = about.lock
        row.wrapped = key.wrap(content_key, subject=about.pk, lock=row.lock)
        set_entry(row, rights=terms.rights, ends_at=terms.ends_at)
    shared.invited.append(row)


def _has_terms(row: Listed, terms: Terms) -> bool:
    return (row.rights, row.ends_at) == (terms.rights, terms.ends_at)


def store_shared(
    about: Subject,
    head: Statement,
    signed: Statement,
    shared: Shared[Given],
    *,
    listed: Sequence[Listed],
) -> list[Sent]:
    """Store in one transaction what was shared of an image, or of an album. Raises NoKeys or
    HeadMoved."""
    with transaction.atomic():
        hold_invitations(row for row in listed if isinstance(row, InvitedGrant))
        hold_circles(shared.teams)
        hold(about, head)
        # Keys that are stored stay as they are now: what was read may be older than a rotation
        # that wrapped them again.
        keys = [row.wrapped_key for row in shared.touched]
        new_keys = [key for key in keys if key is not None and key._state.adding]
        told = shared.told
        rows = [row for rows in told.values() for row in rows]
        readers: list[User] = [row.reader for row in rows if row.reader is not None]
        hold_people([about.owner, *readers], pairs=(key.key_pair for key in new_keys))
        require_present_signer(about.owner, signed)
        # A waiting reader may have been given a key meanwhile, which moves no head (resharing.py).
        waiting = [one for one in shared.changed if one.wrapped_key in new_keys]
        if any(type(one).objects.get(pk=one.pk).wrapped_key_id for one in waiting):
            raise HeadMoved
        end_rows(shared.dropped, Ended.REVOKED)
        end_expired(about)
        signed.save(force_insert=True)
        for key in new_keys:
            key.save(force_insert=True)
        new_rows: list[Listed] = [*shared.added, *shared.invited, *shared.teams]
        for new_row in new_rows:
            new_row.save()
        for row in shared.changed:
            # A key that is not new may have been exchanged meanwhile: its column stays as it is.
            columns = ["rights", "ends_at", "entry", "salt"]
            columns += ["wrapped_key"] if row.wrapped_key in new_keys else []
            row.save(update_fields=columns)
        return [send_notices(kind, rows) for kind, rows in told.items()]
