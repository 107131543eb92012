"""Who somebody is to the people who compare: their keys and names, and how these may have changed.

What an entry of a list of compared contacts says (accounts/keys/pins.py) is compared with what this
installation certifies now.
"""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from accounts.keys.certificates import (
    KIND,
    KeyRows,
    Names,
    certified_names,
    is_certified,
    is_endorsed,
    signing_pair_of,
    wrapping_key_of,
)
from accounts.keys.names import Name, certified_name
from accounts.models import KeyPair, User
from cryptocore import statements

Entry = dict[str, Any]


class How(StrEnum):
    """What to say about a contact who is not as they were compared."""

    ENDORSED = "endorsed"  # the compared key vouches for the new one
    UNENDORSED = "unendorsed"  # only this server does
    DIFFERS = "differs"  # the words did not match when they were compared
    RENAMED = "renamed"  # the same key; they have another name now
    MISNAMED = "misnamed"  # a username never changes: somebody certified one for another's key
    EARLIER = "earlier"  # signed by an earlier key, and the list is too old to have these


NEVER_ACCEPTED = (How.DIFFERS, How.MISNAMED)


@dataclass(frozen=True)
class Change:
    """A compared contact whose key is another one now."""

    person: User
    identity: "Identity"
    how: How
    compared_at: datetime

    @property
    def name(self) -> Name:
        return certified_name(self.person)

    @property
    def replaced_at(self) -> datetime:
        return self.identity.certified_at


@dataclass(frozen=True)
class Identity:
    """What stands for a person: their signing key, and the one that vouches for their reading key.

    These differ between a rotation of the signing key and the next one of the reading key. With the
    names in the certificate.
    """

    signing: KeyPair
    certifier: str
    names: Names | None

    @property
    def certified_at(self) -> datetime:
        claimed = statements.parse(KIND, bytes(self.signing.certificate))
        return statements.parse_time(claimed["time"])

    def as_entry(self) -> dict[str, Any]:
        # What the keys before it signed, as this server certified them, is believed as soon as the
        # present one is compared.
        pairs = KeyPair.objects.filter(user_id=self.signing.user_id, purpose=self.signing.purpose)
        before = pairs.filter(epoch__lt=self.signing.epoch)
        return {
            "fingerprint": self.signing.fingerprint,
            "certifier": self.certifier,
            "time": statements.format_time(timezone.now()),
            "earlier": sorted({pair.fingerprint for pair in before if is_certified(pair)}),
            **(asdict(self.names) if self.names else {}),
        }


def identity_of(user_id: uuid.UUID) -> Identity:
    """Return a person's identity, verified. Raises NoKeys, or CryptoError if it does not verify."""
    reading, _ = wrapping_key_of(user_id)
    return identity_with(reading)


def identity_with(reading: KeyPair, rows: KeyRows | None = None) -> Identity:
    """Return the same; `reading` is that person's encryption pair, verified already."""
    signing = signing_pair_of(reading.user_id, rows)
    certifier = statements.parse(KIND, bytes(reading.certificate))["key"]
    return Identity(signing, certifier, certified_names(signing))


@dataclass(frozen=True)
class SignerChange:
    """How somebody who signed is not as they were compared, when that was, and what they were
    called then."""

    how: How
    compared_at: datetime
    called: str


def how_changed(entry: Entry, now: Identity) -> How | None:
    """Return how somebody is not as an entry says; None if they are."""
    if entry["fingerprint"] is None:
        return How.DIFFERS
    known = entry["fingerprint"] == now.signing.fingerprint
    if known and now.certifier in (entry["fingerprint"], entry["certifier"]):
        return _renamed(entry, now.names)
    vouched_for = _leads_to(entry["fingerprint"], now.signing)
    return How.ENDORSED if now.certifier in vouched_for else How.UNENDORSED


def how_signed(
    entry: Entry, person: uuid.UUID, names: Names | None, keys: Iterable[str]
) -> How | None:
    """Return how somebody whose `keys` signed is not as an entry says; None if they are.

    The keys are signing keys of that person, their certificates verified.
    """
    if entry["fingerprint"] is None:
        return How.DIFFERS
    others = {key for key in keys if key not in (entry["fingerprint"], *entry.get("earlier", ()))}
    if not others:
        return _renamed(entry, names)
    pairs = KeyPair.objects.filter(user=person, purpose=KeyPair.Purpose.SIGNING)
    by_key = {pair.fingerprint: pair for pair in pairs}
    if all(key in _leads_to(entry["fingerprint"], by_key[key]) for key in others):
        return How.ENDORSED
    compared = by_key.get(entry["fingerprint"])
    is_before = compared and all(by_key[key].epoch < compared.epoch for key in others)
    return How.EARLIER if is_before and "earlier" not in entry else How.UNENDORSED


def _renamed(entry: Entry, names: Names | None) -> How | None:
    called = entry.get("display_name")
    return How.RENAMED if called and names and called != names.display_name else None


def _leads_to(fingerprint: str, signing: KeyPair) -> set[str]:
    """Return the compared key and those after it up to this one, if each is endorsed by the one
    before it; otherwise nothing."""
    pairs = KeyPair.objects.filter(
        user_id=signing.user_id,
        purpose=KeyPair.Purpose.SIGNING,
        epoch__lte=signing.epoch,
    )
    by_epoch = {pair.epoch: pair for pair in pairs}
    since = next((p.epoch for p in pairs if p.fingerprint == fingerprint), None)
    if since is None or since == signing.epoch:
        return set()
    later = range(since + 1, signing.epoch + 1)
    if not all(epoch in by_epoch and is_endorsed(by_epoch[epoch]) for epoch in later):
        return set()
    return {fingerprint, *(by_epoch[epoch].fingerprint for epoch in later)}
