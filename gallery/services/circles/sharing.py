"""Sharing an album, or adding people to a team: one wrapping and one statement for each new member,
however many images. An album is shared with teams likewise."""

import uuid
from collections.abc import Collection, Sequence
from functools import partial

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.pins import contacts_of
from accounts.keys.recipients import Reader
from gallery.circle_events import events_of
from gallery.errors import Altered, NotAllowed
from gallery.invitation_keys import InvitationKey
from gallery.models import Circle, Invitation, Member
from gallery.sealing import wrap_for
from gallery.services.acts import owners_act, starting_anew
from gallery.services.circles.acts import new_member, own_circle
from gallery.services.notices import record_notices
from gallery.services.sharing import (
    Recipients,
    Shared,
    carry,
    facts_of_teams,
    give,
    give_team,
    require_listable,
    still_invited,
    store_shared,
)
from gallery.services.teams import team_to_share_with
from gallery.services.uploading import Terms


@sensitive_variables()
def share_circle(
    *,
    keyring: Keyring,
    circle_id: uuid.UUID,
    recipients: list[Reader],
    terms: Terms,
    invitations: Sequence[InvitationKey] = (),
    instead_of: Invitation | None = None,
    teams: Collection[uuid.UUID] = (),
    kind: str = Circle.Kind.ALBUM,
) -> Shared[Member]:
    """Make `recipients`, the people of `invitations`, and `teams` as they are at any time, members
    of the owner's album; who is one already gets the new terms. `instead_of` carries it no longer.
    No team is a member of a team.

    Raises NotYours, NotAllowed, AccessEnded, Altered, TooManyReaders, NoKeys, KeyChanged,
    ContactsRefused or HeadMoved, and as team_to_share_with(); then nothing has changed.
    """
    if teams and kind != Circle.Kind.ALBUM:
        raise NotAllowed
    to = Recipients(recipients, invitations, instead_of, teams)
    return starting_anew(lambda: _share_once(keyring, circle_id, kind, to, terms))


@sensitive_variables()
def _share_once(
    keyring: Keyring, circle_id: uuid.UUID, kind: str, to: Recipients, terms: Terms
) -> Shared[Member]:
    own = own_circle(keyring, circle_id, kind)
    if own.members.unsigned:
        raise Altered("entries")
    contacts_of(keyring).require_unchanged(to.people)
    circle, shared = own.circle, Shared[Member]()
    wrap = partial(wrap_for, content_key=own.key, subject=circle.pk, lock=circle.epoch)
    new = partial(new_member, circle)
    for reader in to.people:
        give(reader, own.members.signed, terms, shared, wrap=wrap, new=new)
    for invitation in to.invitations:
        carry(invitation, own.members.invited, circle, own.key, terms, shared)
    of_teams = [row for row in own.members.signed if row.team_id]
    for team_id in to.teams:
        team = team_to_share_with(team_id, own.opener, reader=keyring.user)
        row = Member(circle=circle, team=team, granted_at=timezone.now())
        give_team(row, of_teams, terms, shared, own.key, lock=circle.epoch, opener=own.opener)
    invited = still_invited(own.members.invited, shared, to.instead_of)
    listed = [*own.members.signed, *shared.listed, *invited]
    require_listable(listed)
    if shared.is_anything:
        signed, facts = own.signed_next(listed), facts_of_teams(shared)
        with owners_act(events_of(circle).shared, circle, signed=[signed], **facts):
            sent = store_shared(circle, own.head, signed, shared, listed=listed)
        truncate_write_ahead_log()  # end_expired() destroyed keys
        record_notices(sent)
    return shared
