"""What every act on an account has in common: it is in the trail, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.models import Invite, User
from audit import events
from audit.events import Event
from audit.leaf import Fact


@contextmanager
def account_act(
    event: Event, subject: User | Invite, *, by: User | None = None, **facts: Fact
) -> Iterator[dict[str, Fact]]:
    """Record what a person does to their own account, or staff (`by`) do to it, as intended, then
    as done or as failed."""
    actor = by.pk if by else subject.pk
    with events.recorded(event, actor=actor, subject=subject.pk, in_table=False, **facts) as known:
        yield known
