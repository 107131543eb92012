"""Whose staff rights are believed: what a row says, with the act that gave them.

`is_staff` and `is_superuser` are columns, and anybody who can write to the database can set them.
The trail keeps every act that gives or takes these rights; only what both say counts. Django's
groups and permissions give nothing at all (accounts/models.py).
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import IntEnum

from django.db.models import Q
from django.utils import timezone

from accounts.keys.remembered import DISABLING, Standing
from accounts.models import User
from audit.events import Event, Outcome, record
from audit.leaf import Leaf
from audit.models import AuditEntry
from audit.vouched import vouched, vouched_of_each

ACTS = (
    Event.ACCOUNT_MADE_BY_COMMAND,
    Event.ACCOUNT_STAFF_MADE,
    Event.ACCOUNT_STAFF_REMOVED,
    Event.ACCOUNT_STAFF_CONFIRMED,
)
FOLDED_FOR = timedelta(days=1)


class Rights(IntEnum):
    """More includes less."""

    NONE = 0
    STAFF = 1
    SUPERUSER = 2

    @classmethod
    def named(cls, name: object) -> "Rights":
        return cls.__members__.get(str(name).upper(), cls.NONE)


def rights_of(user: User) -> Rights:
    """Return what this person may do as staff. Raises AuditUnavailable without a trail to ask."""
    claimed = claimed_by(user)
    events = (*ACTS, *DISABLING)
    acts = vouched_of_each(events, subjects=[user.pk])[user.pk][::-1] if claimed else []
    return Rights.NONE if Standing(acts).is_disabled else min(claimed, _given_by(acts))


def claimed_by(user: User) -> Rights:
    """Return what the row says. A disabled person has no rights."""
    return Rights.named(user.rights_in_row) if user.is_active else Rights.NONE


def _given_by(acts: Iterable[Leaf]) -> Rights:
    """Return what these acts, newest first, gave somebody and did not take back."""
    given = Rights.NONE
    for act in reversed([act for act in acts if act.event in ACTS]):
        if act.event == Event.ACCOUNT_STAFF_REMOVED:
            given = Rights.NONE
        elif act.event == Event.ACCOUNT_STAFF_MADE:
            given = max(given, Rights.STAFF)
        else:
            given = Rights.named(act.facts.get("rights"))
    return given


# ---- rights in a row that no act gave --------------------------------------------------------


def people_with_unproven_rights() -> list[User]:
    """Return those whose rows claim more than the acts on record gave. Raises AuditUnavailable."""
    claiming = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True)).order_by("username")
    # Only what is asked for: another column may hold what Django cannot read.
    claiming = claiming.only("username", "is_active", "is_staff", "is_superuser")
    acts = vouched_of_each(ACTS, subjects=[user.pk for user in claiming])
    given = {user.pk: _given_by(reversed(acts[user.pk])) for user in claiming}
    return [user for user in claiming if Rights.named(user.rights_in_row) > given[user.pk]]


def has_unproven_rights(user: User) -> bool:
    return Rights.named(user.rights_in_row) > _given_by(vouched(ACTS, subject=user.pk))


def record_refused(user: User) -> None:
    """Record that rights were refused which nobody gave; once a day, however often it is tried."""
    event, outcome = Event.ACCOUNT_STAFF_REFUSED, Outcome.REFUSED
    since = timezone.now() - FOLDED_FOR
    seen = AuditEntry.objects.seen_since(user.pk, event, user.pk, since, outcome=outcome)
    if not seen:
        record(event, actor=user.pk, subject=user.pk, outcome=outcome, rights=user.rights_in_row)


def confirm(users: Iterable[User]) -> None:
    """Record, as an operator's act, that these people's rights are meant as their rows say."""
    for user in users:
        event = Event.ACCOUNT_STAFF_CONFIRMED
        record(event, actor=None, subject=user.pk, rights=user.rights_in_row)
