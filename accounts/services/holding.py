"""The one way to change somebody's keys.

Every act that adds, replaces or destroys a person's key rows does the same around it: it is in the
trail as intended, it holds the person's row, it records in the trail what all their key rows are
afterwards, what it destroyed leaves SQLite's log, and it is in the trail as done. An act written
out by hand forgets one of these, and nothing fails on that day.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from accounts.custody import DoesNotOpen
from accounts.erasure import truncate_write_ahead_log
from accounts.keys.keyset_trail import remembered_of
from accounts.keys.keysets import KEYSET_EVENTS, keyset_digest
from accounts.keys.orders import stolen_order_of
from accounts.models import User
from audit import events
from audit.events import Event
from audit.leaf import Fact


@dataclass(frozen=True)
class Change:
    """An act under way: the person as the database has them, held until it commits, what the trail
    records once it is done, and whether it records the key rows."""

    person: User
    facts: dict[str, Fact]
    is_told: bool

    def require_version(self, version: int) -> None:
        """Raises DoesNotOpen where the person has another master key than `version` by now, or an
        operator ordered everything to be replaced after a theft: a request under way must make no
        way in that outlives it."""
        if self.person.master_key_version != version or stolen_order_of(self.person):
            raise DoesNotOpen


@contextmanager
def changing_keys(
    event: Event, user: User, *, by_its_person: bool = True, **facts: Fact
) -> Iterator[Change]:
    """Let the caller change the key rows of `user`, in a transaction that holds their row.

    What the caller raises undoes it, and is in the trail as failed. Slow work comes before. Raises
    AuditUnavailable before anything is changed.

    The person acts with keys of theirs open (services/deserving.py). When others act (`purge`,
    operators), the trail records nothing about rows that were not the remembered ones: otherwise
    rows that somebody wrote would become the remembered ones.
    """
    if event not in KEYSET_EVENTS:
        raise ValueError("verify_keys looks for digests at other events")
    actor = user.pk if by_its_person else None
    with events.recorded(event, actor=actor, subject=user.pk, in_table=False, **facts) as known:
        with transaction.atomic():
            held = User.objects.select_for_update().get(pk=user.pk)
            is_told = by_its_person
            if not is_told:
                remembered = remembered_of(user.pk).keysets.values()
                is_told = not remembered or keyset_digest(user.pk) in remembered
            yield Change(held, known, is_told)
            if is_told:
                known["keyset"] = keyset_digest(user.pk)
        truncate_write_ahead_log()
