"""What the trail remembers of accounts and invites, where an older row put back would deny it.

Anybody who can write to the database can take a mark out of a row: that an account was disabled,
that keys were stolen, that an invite was used. The entry that says so stays.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile

from django.utils import timezone

from accounts.models import Invite
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched, vouched_of_each

INVITES_LAST = timedelta(days=7)
DISABLING = (Event.ACCOUNT_DISABLED, Event.ACCOUNT_ENABLED)
SUSPENDING = (Event.ACCOUNT_READERS_SUSPENDED, Event.ACCOUNT_READERS_REINSTATED)
MENDED_BY = (Event.KEYS_REPLACED, Event.NEW_START_DONE)


@dataclass(frozen=True)
class Standing:
    """What the trail says of an account, whatever its rows say: asked once for each page."""

    acts: list[Leaf]  # newest first

    @property
    def is_disabled(self) -> bool:
        """Whether the newest that staff did was to disable this account."""
        newest = next((act for act in self.acts if act.event in DISABLING), None)
        return newest is not None and newest.event == Event.ACCOUNT_DISABLED

    @property
    def open_theft(self) -> Leaf | None:
        """The newest order after a theft that nothing mended since.

        By the trail alone: which keys the person has now is rows, which could be taken away, or
        others put beside them, for as long as it takes to sign in.
        """
        newest = next(iter(self._thefts), None)
        return newest if newest and newest.event == Event.KEYS_ROTATION_ORDERED else None

    @property
    def replaced_keys(self) -> set[str]:
        """The fingerprints of stolen keys that were replaced since: they prove nobody any more,
        though their rows be put back."""
        acts = dropwhile(lambda act: act.event not in MENDED_BY, self._thefts)
        return {fingerprint for act in acts for fingerprint in act.facts.get("stolen", [])}

    @property
    def is_shut_out(self) -> bool:
        """Whether nothing of this person's is to be opened, whatever their rows say."""
        return self.is_disabled or self.open_theft is not None

    @property
    def _thefts(self) -> list[Leaf]:
        """The orders after thefts, and what mended them, newest first."""
        return [
            act
            for act in self.acts
            if act.event in MENDED_BY
            or (act.event == Event.KEYS_ROTATION_ORDERED and act.facts.get("stolen"))
        ]


def standing_of(person: uuid.UUID) -> Standing:
    """Return it by one query.

    Nothing where the trail's table does not answer: nobody is to be kept out for that, and nothing
    is opened or signed without it either.
    """
    try:
        return standing_on_record(person)
    except AuditUnavailable:
        return Standing([])


def standing_on_record(person: uuid.UUID) -> Standing:
    """Return the same. Raises AuditUnavailable.

    Of all entries, not of the newest: orders for new keys can be made to come again, as often as
    somebody takes their rows away, and would crowd out that the account was disabled.
    """
    events = (*DISABLING, Event.KEYS_ROTATION_ORDERED, *MENDED_BY)
    return Standing(vouched_of_each(events, subjects=[person])[person][::-1])


def accounts_disabled(people: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return whose account of these staff disabled last: one query for all. Nobody's where the
    trail's table does not answer, as standing_of()."""
    try:
        acts = vouched_of_each(DISABLING, subjects=people)
    except AuditUnavailable:
        return set()
    disabled = Event.ACCOUNT_DISABLED
    return {person for person, theirs in acts.items() if theirs and theirs[-1].event == disabled}


def owners_suspended(people: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of these are owners whose readers staff suspended last. Raises
    AuditUnavailable."""
    acts = vouched_of_each(SUSPENDING, subjects=people)
    suspended = Event.ACCOUNT_READERS_SUSPENDED
    return {owner for owner, theirs in acts.items() if theirs and theirs[-1].event == suspended}


def stolen_keys_of_each(people: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, datetime]]:
    """Return since when each of these people's keys counts as stolen, by fingerprint: one query.

    Of thefts ordered before entries named the keys: nothing. Raises AuditUnavailable.
    """
    orders = vouched_of_each((Event.KEYS_ROTATION_ORDERED,), subjects=people)
    return {
        person: {
            fingerprint: order.time
            for order in reversed(theirs)  # named twice, the earlier time counts
            for fingerprint in order.facts.get("stolen", [])
        }
        for person, theirs in orders.items()
    }


def is_open(invite: Invite) -> bool:
    """Whether staff made this invite, for this token, not too long ago, and nobody used it or took
    it back. Older entries, without the token, vouch for any token.

    Raises AuditUnavailable.
    """
    since, begun = timezone.now() - INVITES_LAST, (Outcome.INTENDED, Outcome.DONE)
    made = vouched((Event.INVITE_MADE,), subject=invite.pk, outcomes=begun, since=since)
    ended = vouched((Event.INVITE_USED, Event.INVITE_TAKEN_BACK), subject=invite.pk)
    tokens = {leaf.facts.get("token", invite.token_digest) for leaf in made}
    return tokens == {invite.token_digest} and not ended
