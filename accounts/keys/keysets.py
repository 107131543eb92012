"""What the trail remembers of a person's key rows, so that a restored or altered one is found.

Certificates prove public keys and wrappings prove private ones; neither shows that a whole older
state was put back. The digest of all key rows, recorded with every act that changes them, does.
"""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from accounts.models import KeyPair, KeySlot, MacKey
from audit.events import Event
from cryptocore import canonical
from cryptocore.context import context

KEY_ROWS = (KeyPair, KeySlot, MacKey)
# What changes a person's key rows. Done, each of these brings the fact `keyset`; an order only
# after a theft, when it marks the rows.
KEYSET_EVENTS = frozenset(
    {
        Event.KEYS_MADE,
        Event.ACCOUNT_PASSWORD_CHANGED,
        Event.ACCOUNT_PASSWORD_RESTORED,
        Event.ACCOUNT_RECOVERED,
        Event.RECOVERY_CODE_MADE,
        Event.RECOVERY_CODE_CONFIRMED,
        Event.RECOVERY_CODE_TESTED,
        Event.KEYS_ROTATION_ORDERED,
        Event.KEYS_ROTATED,
        Event.KEYS_REPLACED,
        Event.KEYS_BROUGHT_BACK,
        Event.KEYS_COST_RAISED,
        Event.KEY_DESTROYED,
        Event.KEY_CERTIFIED,
        Event.MAC_KEY_ROTATED,
        Event.NEW_START_DONE,
        Event.ORGANISATION_SLOT_MADE,
        Event.ORGANISATION_ANSWER_TAKEN,
        Event.ORGANISATION_ANSWER_DESTROYED,
        Event.KEYS_ACCEPTED,
    }
)


def keyset_digest(user_id: uuid.UUID) -> str:
    """Return SHA-256("keyset", user | the sorted digests of all their key rows), hex.

    Computed holding the person's row, in the transaction that changes the rows.
    """
    rows = [row for model in KEY_ROWS for row in model.objects.filter(user=user_id)]
    digests = sorted(map(row_digest, rows))
    return hashlib.sha256(context("keyset", user_id) + b"".join(digests)).hexdigest()


def row_digest(row: Model) -> bytes:
    """Return the SHA-256 of a row's canonical JSON: every column, bytes as hex, times in UTC."""
    fields = row._meta.concrete_fields
    columns = {field.attname: _as_json(getattr(row, field.attname)) for field in fields}
    return hashlib.sha256(canonical.encode({"row": row._meta.model_name, **columns})).digest()


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value
