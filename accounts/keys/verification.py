"""What `verify_keys` checks: whether all stored keys are as they were made.

Each row by itself, all rows of a person together, and both against the trail. Wrapped keys must
have a possible size, and each list of compared contacts must be its owner's newest.

No private key is opened: nobody's password is here. What only the owner's password would show (a
wrapped key with a flipped bit) the digest of all key rows shows, which the trail remembers.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from accounts.custody import MASTER_KEY_BYTES, SALT_BYTES, cost_is_allowed, cost_of
from accounts.keys import certificates
from accounts.keys.keyset_trail import KeysetTrail
from accounts.keys.keysets import KEY_ROWS, keyset_digest
from accounts.keys.mac_keys import notice_mac_key
from accounts.keys.names import newest_signing_pairs
from accounts.keys.orders import stolen_order_of
from accounts.models import KeyPair, KeySlot, MacKey, Pins, User
from accounts.staff_rights import people_with_unproven_rights
from audit.unreadable import unreadable_columns
from cryptocore import keypair, statements
from cryptocore.errors import CryptoError

WRAPPING_BYTES = 8  # what AES-KWP adds, after filling up to whole blocks of 8 (RFC 5649)
ORGANISATION_BYTES = (384, 512)  # RSA-OAEP of 3072 and of 4096 bits
CONFIRMATION_BYTES = 24
MAX_PARALLELISM = 64
MADE_WITHIN = timedelta(hours=1)  # from signing a certificate to storing its row
CHUNK = 2000  # wrapped keys held at once: somebody may have a hundred thousand
State, Purpose, SlotKind = KeyPair.State, KeyPair.Purpose, KeySlot.Kind


class Kind(StrEnum):
    """What can be wrong."""

    CERTIFICATE = "certificate does not verify"
    ENDORSEMENT = "endorsement by the earlier key does not verify"
    PRIVATE_HALF = "private half does not match the state"
    COMPROMISED_SINCE = "time of the compromise does not match the state"
    CERTIFIED_EARLIER = "row claims to be younger than its certificate"
    VERSION = "belongs to none of this person's master keys"
    PRIMARY = "the newest pair, and only it, must be in use"
    EPOCHS = "an epoch is missing"
    NO_WAY_IN = "no slot opens the current master key"
    SLOT = "slot has an impossible size, kind or field"
    COST = "slot costs less than the minimum or more than the maximum"
    MAC_KEY = "MAC key does not open under the key file"
    ALTERED = "key rows are not those the trail remembers"
    UNFINISHED = "key rows are not those the trail remembers, but an act was never finished"
    NOT_IN_TRAIL = "the trail does not remember that these key rows were made"
    GONE = "the trail remembers keys, but there are none"
    WRAPPED_KEY = "wrapped key is no key: empty, or not of its pair's size"
    CONTACTS_ALTERED = "list of compared contacts is not one the trail remembers"
    CONTACTS_GONE = "the trail remembers a list of compared contacts, but there is none"
    NAME = "names are not the certified ones, or none are certified"
    OLDER_CERTIFICATE = "certificate is older than the newest that the trail remembers"
    UNREADABLE = "a column holds no value of its type"
    STAFF_RIGHTS = "marked as staff, but nothing on record made it so"


Compare = Callable[[uuid.UUID], Kind | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: with whose keys, and with which row if it is one."""

    kind: Kind
    person: uuid.UUID
    row: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: person {self.person}" + (f", {self.row}" if self.row else "")


class Verifier:
    """Sweeps everybody's keys; counts whom it saw."""

    def __init__(self) -> None:
        self.people = 0
        self.rows = 0
        self._trail = KeysetTrail()

    def run(self) -> Iterator[Finding]:
        """Yield what is wrong. Raises django.db.Error if database or trail is unavailable."""
        seen: set[uuid.UUID] = set()
        for user in User.objects.order_by("pk").iterator():
            seen.add(user.pk)
            self.people += 1
            yield from self._check_rows(user)
            yield from self._check_trail(user.pk)
            yield from self._check_twice(self._compare_contacts, user.pk)
            yield from self._check_name(user)
        for person, remembered in self._trail.people.items():
            if person not in seen and remembered.keysets:
                yield Finding(Kind.GONE, person)
        for user in people_with_unproven_rights():
            yield Finding(Kind.STAFF_RIGHTS, user.pk, user.username)

    def _check_rows(self, user: User) -> Iterator[Finding]:
        pairs, slots = list(user.key_pairs.all()), list(user.key_slots.all())
        mac_keys = list(user.mac_keys.all())
        self.rows += len(pairs) + len(slots) + len(mac_keys)
        for row in (user, *pairs, *slots, *mac_keys):
            for column in unreadable_columns(row):
                yield Finding(Kind.UNREADABLE, user.pk, f"{row._meta.verbose_name}, {column}")
        yield from _check_pairs(user, pairs)
        yield from self._check_wrapped_keys(user, pairs)
        yield from _check_slots(user, slots)
        yield from _check_mac_keys(user, mac_keys, needed=bool(pairs))

    def _check_wrapped_keys(self, user: User, pairs: list[KeyPair]) -> Iterator[Finding]:
        for pair in pairs:
            try:
                modulus = keypair.load_public_key(pair.public_key).n
            except CryptoError:
                continue  # a key that does not load is named by itself
            columns = pair.wrapped_keys.values_list("subject", "oaep_bytes")
            for subject, wrapped in columns.iterator(CHUNK):
                self.rows += 1
                # What RSA-OAEP makes is as long as the modulus, and less (RFC 8017 §7.1.1).
                has_length = len(wrapped) == (modulus.bit_length() + 7) // 8
                if not (has_length and 0 < int.from_bytes(wrapped) < modulus):
                    row = f"image {subject} to {pair.purpose} pair {pair.epoch}"
                    yield Finding(Kind.WRAPPED_KEY, user.pk, row)

    def _check_trail(self, person: uuid.UUID) -> Iterator[Finding]:
        yield from self._check_twice(self._compare, person)

    def _check_name(self, user: User) -> Iterator[Finding]:
        """Of who has no keys nothing is certified; of a key that is not, that is said already."""
        pair = newest_signing_pairs([user.pk]).get(user.pk)
        if pair is None or not certificates.is_certified(pair):
            return
        if not certificates.is_newest_certificate(pair, self._trail.certificate_of(user.pk)):
            yield Finding(Kind.OLDER_CERTIFICATE, user.pk)
        elif certificates.names_in(pair) != certificates.Names(user.username, str(user)):
            yield Finding(Kind.NAME, user.pk)

    def _check_twice(self, compare: Compare, person: uuid.UUID) -> Iterator[Finding]:
        kind = compare(person)
        if kind:
            # Somebody may have changed a password meanwhile: rows and trail once more.
            self._trail.catch_up()
            kind = compare(person)
        if kind:
            yield Finding(kind, person)

    def _compare_contacts(self, person: uuid.UUID) -> Kind | None:
        remembered = self._trail.list_of(person)
        row = Pins.objects.filter(user=person).first()
        if row is None:
            return Kind.CONTACTS_GONE if remembered.number else None
        is_known = statements.digest(row.body) in remembered.digests
        return None if is_known else Kind.CONTACTS_ALTERED

    def _compare(self, person: uuid.UUID) -> Kind | None:
        remembered = self._trail.of(person)
        has_rows = any(model.objects.filter(user=person).exists() for model in KEY_ROWS)
        if not remembered.keysets:
            return Kind.NOT_IN_TRAIL if has_rows else None
        if keyset_digest(person) in remembered.keysets.values():
            return None
        if remembered.has_unfinished:
            return Kind.UNFINISHED
        return Kind.ALTERED if has_rows else Kind.GONE


# ---- pairs -----------------------------------------------------------------------------------


def _check_pairs(user: User, pairs: list[KeyPair]) -> Iterator[Finding]:
    for pair in pairs:
        for kind in _wrong_with(pair, user):
            yield Finding(kind, user.pk, f"{pair.purpose} pair {pair.epoch}")
    is_waiting = stolen_order_of(user) is not None  # no pair is in use until they come back
    for purpose in Purpose.values if pairs else ():
        same = sorted((p for p in pairs if p.purpose == purpose), key=lambda p: p.epoch)
        primary = [pair for pair in same if pair.state == State.PRIMARY]
        expected = [] if is_waiting else same[-1:]
        if primary != expected or not same:
            yield Finding(Kind.PRIMARY, user.pk, f"{purpose} pairs")
        if not _is_unbroken(pair.epoch for pair in same):
            yield Finding(Kind.EPOCHS, user.pk, f"{purpose} pairs")


def _wrong_with(pair: KeyPair, user: User) -> Iterator[Kind]:
    if not _is_certified(pair):
        yield Kind.CERTIFICATE
    else:
        claimed = statements.parse(certificates.KIND, pair.certificate)
        if statements.parse_time(claimed["time"]) + MADE_WITHIN < pair.created_at:
            yield Kind.CERTIFIED_EARLIER
    if pair.endorsement is not None or pair.endorsement_signature is not None:
        signs = pair.purpose == Purpose.SIGNING
        if not (signs and certificates.has_true_endorsement(pair)):
            yield Kind.ENDORSEMENT
    if not _private_half_fits(pair):
        yield Kind.PRIVATE_HALF
    if pair.state != State.DESTROYED:  # of the destroyed, some were compromised, too
        is_marked = pair.compromised_at is not None
        if is_marked != (pair.state == State.COMPROMISED):
            yield Kind.COMPROMISED_SINCE
    present = pair.master_key_version == user.master_key_version
    if not (present or (pair.state != State.PRIMARY and _is_earlier(pair, user))):
        yield Kind.VERSION


def _is_certified(pair: KeyPair) -> bool:
    verify = {
        Purpose.SIGNING: certificates.verified_signing_key,
        Purpose.ENCRYPTION: certificates.verified_encryption_key,
    }
    try:
        verify[Purpose(pair.purpose)](pair)
    except (CryptoError, ValueError):
        return False
    return True


def _private_half_fits(pair: KeyPair) -> bool:
    """Whether it is there or gone as the state says. An earlier signing key no longer needs it."""
    if pair.wrapped_private_key is None:
        earlier_signing = pair.purpose == Purpose.SIGNING and pair.state != State.PRIMARY
        return pair.state == State.DESTROYED or earlier_signing
    length = len(pair.wrapped_private_key)
    plausible = length % 8 == 0 and length <= keypair.MAX_PRIVATE_BYTES
    return plausible and pair.state in (State.PRIMARY, State.OPEN_ONLY, State.COMPROMISED)


def _is_earlier(row: KeyPair | KeySlot, user: User) -> bool:
    return 1 <= row.master_key_version < user.master_key_version


def _is_unbroken(epochs: Iterable[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise([0, *epochs]))


# ---- slots -----------------------------------------------------------------------------------


def _check_slots(user: User, slots: list[KeySlot]) -> Iterator[Finding]:
    for slot in slots:
        for kind in _wrong_with_slot(slot, user):
            yield Finding(kind, user.pk, f"{slot.kind} slot")
    present = [slot for slot in slots if slot.master_key_version == user.master_key_version]
    if user.master_key_version and not present:
        yield Finding(Kind.NO_WAY_IN, user.pk)


def _wrong_with_slot(slot: KeySlot, user: User) -> Iterator[Kind]:
    if not (slot.master_key_version == user.master_key_version or _is_earlier(slot, user)):
        yield Kind.VERSION
    if slot.kind == SlotKind.PASSWORD:
        is_parallel = 1 <= (slot.parallelism or 0) <= MAX_PARALLELISM
        if not (cost_is_allowed(cost_of(slot)) and is_parallel):
            yield Kind.COST
    wrapped_bytes = len(slot.wrapped_master_key)
    if slot.kind == SlotKind.ORGANISATION:
        sizes_fit = wrapped_bytes in ORGANISATION_BYTES
    else:
        key_fits = wrapped_bytes == MASTER_KEY_BYTES + WRAPPING_BYTES
        sizes_fit = key_fits and len(slot.salt) == SALT_BYTES
    if not (sizes_fit and _fields_fit(slot)):
        yield Kind.SLOT


def _fields_fit(slot: KeySlot) -> bool:
    """Whether exactly the fields of this kind are filled."""
    costs = [slot.time_cost, slot.memory_kib, slot.parallelism]
    has_costs = any(cost is not None for cost in costs)
    return (
        slot.kind in SlotKind.values
        and has_costs == (slot.kind == SlotKind.PASSWORD)
        and _confirmation_fits(slot)
        and bool(slot.organisation_key) == (slot.kind == SlotKind.ORGANISATION)
        and (slot.ends_at is not None) == (slot.kind == SlotKind.ANSWER)
    )


def _confirmation_fits(slot: KeySlot) -> bool:
    first, second, wrapped = slot.confirm_first, slot.confirm_second, slot.wrapped_confirmation
    if slot.kind == SlotKind.RECOVERY_CODE:
        asked = first is not None and second is not None and 1 <= first < second <= 6
        return asked and len(wrapped or b"") == CONFIRMATION_BYTES
    return all(value is None for value in (first, second, wrapped, slot.confirmed_at))


# ---- MAC keys --------------------------------------------------------------------------------


def _check_mac_keys(user: User, rows: list[MacKey], *, needed: bool) -> Iterator[Finding]:
    for row in rows:
        try:
            notice_mac_key(row)
        except CryptoError:
            yield Finding(Kind.MAC_KEY, user.pk, f"MAC key {row.epoch}")
    if not _is_unbroken(sorted(row.epoch for row in rows)) or (needed and not rows):
        yield Finding(Kind.EPOCHS, user.pk, "MAC keys")
