"""People's signing keys, to verify what they signed: certified as theirs, not stolen by then."""

import uuid
from collections.abc import Collection
from datetime import datetime

from Crypto.PublicKey.RSA import RsaKey

from accounts.keys.certificates import verified_signing_key
from accounts.keys.remembered import stolen_keys_of_each
from accounts.models import KeyPair
from cryptocore.errors import CryptoError


class SigningKeys:
    """Signing keys within one request: each certificate is verified once.

    One person's are fetched as they are asked for, many people's by prepare().
    """

    def __init__(self) -> None:
        self._pairs: dict[uuid.UUID, dict[str, KeyPair]] = {}
        self._verified: dict[uuid.UUID, RsaKey] = {}
        self._stolen: dict[uuid.UUID, dict[str, datetime]] = {}

    def prepare(self, people: Collection[uuid.UUID]) -> None:
        """Fetch the keys of these people, and which were stolen: two queries, however many they
        are. Raises AuditUnavailable."""
        self._fetch(people)
        self._stolen |= stolen_keys_of_each(people)

    def key_of(self, person: uuid.UUID, fingerprint: str) -> RsaKey:
        """Return a person's public key. Raises CryptoError if it is not certified as theirs."""
        pair = self._pair(person, fingerprint)
        if pair.pk not in self._verified:
            self._verified[pair.pk] = verified_signing_key(pair)
        return self._verified[pair.pk]

    def stolen_since(self, person: uuid.UUID, fingerprint: str) -> datetime | None:
        """Return when a key was stolen: the earlier time of its row, which anybody may have moved
        on, and of the trail. Raises AuditUnavailable, and CryptoError if it is nobody's."""
        if person not in self._stolen:
            self._stolen |= stolen_keys_of_each([person])
        marked = self._pair(person, fingerprint).compromised_at
        told = self._stolen[person].get(fingerprint)
        return min(filter(None, (marked, told)), default=None)

    def _pair(self, person: uuid.UUID, fingerprint: str) -> KeyPair:
        if person not in self._pairs:
            self._fetch([person])
        pair = self._pairs[person].get(fingerprint)
        if pair is None:
            raise CryptoError
        return pair

    def _fetch(self, people: Collection[uuid.UUID]) -> None:
        self._pairs |= {person: {} for person in people}
        for pair in KeyPair.objects.filter(user__in=people, purpose=KeyPair.Purpose.SIGNING):
            self._pairs[pair.user_id][pair.fingerprint] = pair
