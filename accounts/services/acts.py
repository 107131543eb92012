"""What every act on an account has in common: it is in the trail, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.models import Invite, User
from audit.events import Event, Outcome, record, record_after
from audit.leaf import Fact


@contextmanager
def recorded(
    event: Event, subject: User | Invite, *, by: User | None = None, **facts: Fact
) -> Iterator[None]:
    """Record what a person does to their own account, or staff (`by`) do to it, as intended, then
    as done or as failed."""
    about = {"actor": by.pk if by else subject.pk, "subject": subject.pk}
    record(event, outcome=Outcome.INTENDED, **about, **facts)
    try:
        yield
    except BaseException:
        record_after(event, outcome=Outcome.FAILED, **about)
        raise
    record_after(event, **about, **facts)
