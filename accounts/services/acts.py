"""What every act on a person's own keys has in common: it is in the trail, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.models import User
from audit.events import Event, Outcome, record, record_after


@contextmanager
def recorded(event: Event, user: User, **facts: str) -> Iterator[None]:
    """Record what a person does to their own account as intended, then as done or as failed."""
    about = {"actor": user.pk, "subject": user.pk}
    record(event, outcome=Outcome.INTENDED, **about)
    try:
        yield
    except BaseException:
        record_after(event, outcome=Outcome.FAILED, **about)
        raise
    record_after(event, **about, **facts)
