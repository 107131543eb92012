"""What the trail vouches for of a person's recovery by the organisation: rows could be put back."""

import uuid
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched

LASTS = timedelta(days=7)
BEGUN = (Event.ORGANISATION_REQUEST_MADE,)
TAKEN = (Event.ORGANISATION_ANSWER_TAKEN,)
# Acts that need a way in, or new keys: an earlier request is then over.
ENDING = (
    Event.ACCOUNT_PASSWORD_CHANGED,
    Event.ACCOUNT_PASSWORD_RESTORED,
    Event.ACCOUNT_RECOVERED,
    Event.KEYS_BROUGHT_BACK,
    Event.KEYS_REPLACED,
    Event.NEW_START_DONE,
)


def request_for(person: uuid.UUID, answer: uuid.UUID) -> Leaf | None:
    """Return the request of the last 7 days that names this answer. Raises AuditUnavailable."""
    return _naming(answer, _recent(person, BEGUN))


def was_taken(person: uuid.UUID, answer: uuid.UUID) -> bool:
    return _naming(answer, _recent(person, TAKEN)) is not None


def stands(person: uuid.UUID, request: Leaf) -> bool:
    """Whether nothing ended a request for this person since. Raises AuditUnavailable.

    An intention ends it, too: it is recorded once the old password or the code has opened the
    keys and before the change is there, so that none falls between this look and the change.
    """
    ended = _recent(person, ENDING, outcomes=(Outcome.INTENDED, Outcome.DONE))
    return all(act.time < request.time for act in ended)


def recovery_is_begun(user: User) -> bool:
    """Whether a request for this person stands; without a trail it counts as not.

    Asked at each unlock: one query, for nearly everybody.
    """
    try:
        return any(stands(user.pk, request) for request in _recent(user.pk, BEGUN))
    except AuditUnavailable:
        return False


def _recent(
    person: uuid.UUID, events: tuple[Event, ...], *, outcomes: tuple[Outcome, ...] = (Outcome.DONE,)
) -> list[Leaf]:
    return vouched(events, subject=person, outcomes=outcomes, since=timezone.now() - LASTS)


def _naming(answer: uuid.UUID, leaves: list[Leaf]) -> Leaf | None:
    named = (leaf for leaf in leaves if leaf.facts.get("answer") == str(answer))
    return next(named, None)
