"""What the trail remembers of accounts and invites, where an older row put back would deny it.

Anybody who can write to the database can take a mark out of a row: that an account was disabled,
that keys were stolen, that an invite was used. The entry that says so stays.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import dropwhile

from django.utils import timezone

from accounts.models import Invite
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched, vouched_of_each

INVITES_LAST = timedelta(days=7)
SUSPENDING = (Event.ACCOUNT_READERS_SUSPENDED, Event.ACCOUNT_READERS_REINSTATED)
MENDED_BY = (Event.KEYS_REPLACED, Event.NEW_START_DONE)


def is_disabled(person: uuid.UUID) -> bool:
    """Whether the newest that staff did was to disable this account.

    False where the trail's table does not answer: nobody is to be kept out for that, and nothing
    is opened or signed without it either.
    """
    acts = (Event.ACCOUNT_DISABLED, Event.ACCOUNT_ENABLED)
    try:
        newest = vouched(acts, subject=person, at_most=1)
    except AuditUnavailable:
        return False
    return [act.event for act in newest] == [Event.ACCOUNT_DISABLED]


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


def has_stolen_keys(person: uuid.UUID) -> bool:
    """Whether a theft of this person's keys was ordered to be mended, and was not since.

    By the trail alone: which keys they have now is rows, which could be taken away, or others put
    beside them, for as long as it takes to sign in. False where the trail's table does not answer,
    as above.
    """
    try:
        return open_theft_of(person) is not None
    except AuditUnavailable:
        return False


def open_theft_of(person: uuid.UUID) -> Leaf | None:
    """Return the newest order after a theft that nothing mended since. Raises AuditUnavailable."""
    newest = next(iter(_thefts_of(person)), None)
    return newest if newest and newest.event == Event.KEYS_ROTATION_ORDERED else None


def replaced_keys_of(person: uuid.UUID) -> set[str]:
    """Return the fingerprints of stolen keys that were replaced since: they prove nobody any more,
    though their rows be put back. None where the trail's table does not answer, as above."""
    try:
        acts = dropwhile(lambda act: act.event not in MENDED_BY, _thefts_of(person))
        return {fingerprint for act in acts for fingerprint in act.facts.get("stolen", [])}
    except AuditUnavailable:
        return set()


def _thefts_of(person: uuid.UUID) -> list[Leaf]:
    """Return the orders after thefts, and what mended them, newest first."""
    acts = vouched((Event.KEYS_ROTATION_ORDERED, *MENDED_BY), subject=person)
    return [act for act in acts if act.event in MENDED_BY or act.facts.get("stolen")]


def is_shut_out(person: uuid.UUID) -> bool:
    """Whether nothing of this person's is to be opened, whatever their rows say."""
    return is_disabled(person) or has_stolen_keys(person)


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
