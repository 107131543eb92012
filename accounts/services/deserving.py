"""Whether the instance key may certify a next signing key for a person who has keys.

Somebody who can write to the database can insert rows: a slot that their own password opens, an
order, an answer, a due wait. None of these proves who is asking. What does: a master key that opens
a private key made for this person here, as its certificate or the trail says; or, if nothing opens,
rows that are exactly those the trail remembers, so that a person with the old password or code
could have stopped it. First keys: services/first_keys.py. Which way needs what:
docs/threat-model.md.
"""

import uuid
from contextlib import suppress

from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, OpeningKeys
from accounts.folding import record_refusal_of
from accounts.keys.certificates import verified_encryption_key, verified_signing_key
from accounts.keys.keyset_trail import remembered_of
from accounts.keys.keysets import keyset_digest
from accounts.keys.remembered import Standing, standing_of
from accounts.models import KeyPair, User
from audit.events import Event, record
from audit.vouched import vouched
from cryptocore import keypair
from cryptocore.errors import CryptoError

MAKINGS = (Event.KEYS_MADE, Event.KEYS_ROTATED, Event.KEYS_REPLACED, Event.NEW_START_DONE)
FINGERPRINTS = ("signing", "encryption", "fingerprint")  # the facts that name a new key


class NotRemembered(Exception):
    """This person's key rows are not those of the last act on record."""


@sensitive_variables()
def require_own_keys(keyring: OpeningKeys) -> None:
    """Return if `keyring` opens a key that was made for that person here: one is enough, others may
    be damaged. Raises DoesNotOpen: a master key that somebody else made opens none, and one whose
    theft is mended opens only keys that were replaced."""
    replaced = standing_of(keyring.user.pk).replaced_keys
    opening = [pair for pair in _opened_by(keyring) if _fingerprint(pair) not in replaced]
    if any(map(_is_certified, opening)):
        return
    # A certificate may be what is damaged: the trail has the key's making for this person, too.
    if not any(_fingerprint(pair) in keys_made_for(pair.user_id) for pair in opening):
        raise DoesNotOpen


@sensitive_variables()
def opens_replaced_keys_alone(keyring: OpeningKeys, standing: Standing) -> bool:
    """Whether this master key is older than a theft that was mended: the thief may have put its
    rows back."""
    replaced = standing.replaced_keys
    opening = {_fingerprint(pair) for pair in _opened_by(keyring)} if replaced else set()
    return bool(opening) and opening <= replaced


@sensitive_variables()
def _opened_by(keyring: OpeningKeys) -> list[KeyPair]:
    opened = []
    for pair in KeyPair.objects.filter(user=keyring.user, master_key_version=keyring.version):
        # TypeError: a number too large for its place in a context.
        with suppress(CryptoError, TypeError):
            keyring.prove(pair)
            opened.append(pair)
    return opened


def _fingerprint(pair: KeyPair) -> str:
    """Return the fingerprint of the very key; the column beside it is anybody's."""
    return keypair.fingerprint(bytes(pair.public_key))


def _is_certified(pair: KeyPair) -> bool:
    is_signing = pair.purpose == KeyPair.Purpose.SIGNING
    try:
        (verified_signing_key if is_signing else verified_encryption_key)(pair)
    except CryptoError:
        return False
    return True


def keys_made_for(person: uuid.UUID) -> list[str]:
    """Return the fingerprints of keys that were made for this person, as the trail says, newest
    first. Raises AuditUnavailable."""
    made = vouched(MAKINGS, subject=person)
    facts = [leaf.facts.get(name) for leaf in made for name in FINGERPRINTS]
    return [fingerprint for fingerprint in facts if fingerprint]


def require_remembered_rows(user: User) -> None:
    """Return if the person's key rows are those the trail remembers. Raises NotRemembered, on
    record, and AuditUnavailable."""
    if keyset_digest(user.pk) not in remembered_of(user.pk).keysets.values():
        record_refusal_of(user.pk, Event.KEYS_NOT_REMEMBERED, subject=user.pk)
        raise NotRemembered


def accept_rows(user: User) -> None:
    """Record, as an operator's act, that this person's key rows are right as they are."""
    record(Event.KEYS_ACCEPTED, actor=None, subject=user.pk, keyset=keyset_digest(user.pk))
