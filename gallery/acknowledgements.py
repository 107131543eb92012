"""Who confirmed that they have received an image: checked each time before it is shown.

A row proves nothing by itself. It counts if the reader's key signed it about this image, and the
trail has the reader's act with its digest; what the trail has and the rows do not is missing
(docs/format.md, "`acknowledgement`: this person has received it").
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from accounts.keys.signing_keys import SigningKeys
from audit.events import AuditUnavailable, Event, Outcome
from audit.leaf import Leaf
from audit.vouched import vouched_of_each
from cryptocore import statements
from cryptocore.errors import CryptoError
from gallery.ledger import TrailAway
from gallery.models import Acknowledgement, SealedImage
from gallery.sealing import ACKNOWLEDGEMENT


class Receipt(StrEnum):
    """Whether a confirmation may be believed."""

    GENUINE = "genuine"
    ALTERED = "altered"
    MISSING = "missing"


@dataclass(frozen=True)
class Acknowledged:
    """One reader's confirmation. `at` is when they signed; of an altered one nobody knows."""

    state: Receipt
    at: datetime | None = None


def acknowledged_by(image: SealedImage) -> dict[uuid.UUID, Acknowledged]:
    """Return the confirmations of an image by reader: four queries, however many they are.

    Raises TrailAway: then nobody can know which are genuine.
    """
    rows = list(Acknowledgement.objects.filter(image=image))  # before the trail: acts end with it
    keys = SigningKeys()
    try:
        told = _acts_of(image)
        keys.prepare({row.reader_id for row in rows})
    except AuditUnavailable:
        raise TrailAway from None
    found = {row.reader_id: _judged(row, told[row.reader_id], keys) for row in rows}
    for reader, acts in told.items():
        done = next((act for act in acts if act.outcome == Outcome.DONE), None)
        if done and reader not in found:
            found[reader] = Acknowledged(Receipt.MISSING, done.time)
    return found


def _acts_of(image: SealedImage) -> defaultdict[uuid.UUID, list[Leaf]]:
    told: defaultdict[uuid.UUID, list[Leaf]] = defaultdict(list)
    events, outcomes = (Event.IMAGE_ACKNOWLEDGED,), (Outcome.INTENDED, Outcome.DONE)
    for leaf in vouched_of_each(events, subjects=[image.pk], outcomes=outcomes)[image.pk]:
        if leaf.actor:
            told[leaf.actor].append(leaf)
    return told


def _judged(row: Acknowledgement, acts: Iterable[Leaf], keys: SigningKeys) -> Acknowledged:
    try:
        time = _verified(row, list(acts), keys)
    except CryptoError:
        return Acknowledged(Receipt.ALTERED)
    return Acknowledged(Receipt.GENUINE, time)


def _verified(row: Acknowledgement, acts: list[Leaf], keys: SigningKeys) -> datetime:
    """Return when a confirmation was signed. Raises CryptoError unless all of it holds."""
    body = bytes(row.body)
    fingerprint = statements.parse(ACKNOWLEDGEMENT, body)["key"]
    # (1) The reader's certified key signed exactly this, about this image.
    key = keys.key_of(row.reader_id, fingerprint)
    said = statements.verify_statement(ACKNOWLEDGEMENT, body, bytes(row.signature), key)
    expected = {
        "instance": str(settings.SERVER_KEYS.instance_id),
        "subject": str(row.image_id),
        "signer": str(row.reader_id),
        "sequence": 1,
    }
    if any(said[name] != value for name, value in expected.items()):
        raise CryptoError
    # (2) The trail has that act. Its end may have been lost, then the intention vouches for it.
    done = [act for act in acts if act.outcome == Outcome.DONE]
    naming = [act for act in done or acts if act.facts.get(ACKNOWLEDGEMENT) == row.digest]
    if not naming:
        raise CryptoError
    # (3) It was the reader's own then: a thief can sign with any time.
    since = keys.stolen_since(row.reader_id, fingerprint)
    if since and all(act.time >= since for act in naming):
        raise CryptoError
    return statements.parse_time(said["time"])
