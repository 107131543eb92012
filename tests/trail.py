"""What the trail keeps of an act, for tests that an act is on record."""

import uuid

from audit.events import Event
from audit.models import AuditEntry


def outcomes_of(
    event: str, *, actor: uuid.UUID | None, subject: uuid.UUID | None = None
) -> list[str]:
    """Return how it went each time that `actor` did `event` to `subject`: "intended", "done"."""
    entries = AuditEntry.objects.filter(event=Event(event), actor=actor, subject=subject)
    leaves = [entry.parsed() for entry in entries.order_by("sequence").proofs()]
    assert all((leaf.actor, leaf.subject) == (actor, subject) for leaf in leaves)
    return [leaf.outcome for leaf in leaves]
