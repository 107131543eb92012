"""Custody: the one file that unlocks private keys.

A person's master key (32 random bytes) opens everything that is theirs. It is stored only
wrapped: under a password (Argon2id), under a recovery code, and, while the person is unlocked,
under a secret that only their browser's cookie holds, together with a short-lived key of the
server's that is in no database. Private keys hang below it in two branches,
opening and signing, so that nothing made for one opens in the other (docs/format.md, "Keys").

Nothing here is put in a session, a cache, a module global, a log or an exception's message.
CPython cannot wipe memory: what was unlocked may stay in this process's memory until reused.
"""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from Crypto.PublicKey.RSA import RsaKey
from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import Custody, KeyPair, KeySlot, User, WrappedKey
from accounts.organisation.exchange import slot_label
from accounts.turns import KDF_TURNS
from cryptocore import keypair, recovery_code
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key, wrap_key
from cryptocore.mac import check_mac, mac
from cryptocore.passwords import Argon2Cost, stretch
from cryptocore.search_entries import SearchKeys
from cryptocore.statements import sign_statement
from cryptocore.wrapping import unwrap, wrap

SALT_BYTES = 16
MASTER_KEY_BYTES = 32
COOKIE_SECRET_BYTES = 32


class DoesNotOpen(Exception):
    """This password, code or cookie does not open what it was tried on."""


@dataclass(frozen=True)
class NewCode:
    """A recovery code, to be shown once, and which two of its six groups are to be typed back.
    Never prints itself."""

    code: str = field(repr=False)
    confirm_first: int
    confirm_second: int

    @classmethod
    def new(cls) -> Self:
        first, second = sorted(secrets.SystemRandom().sample(range(1, 7), 2))
        return cls(recovery_code.new_code(), first, second)

    @property
    def groups(self) -> list[str]:
        return recovery_code.groups(self.code)


# ---- open keys -------------------------------------------------------------------------------


class OpeningKeys:
    """What opens content for one person, for the length of one request: the opening branch.

    It opens images and what is wrapped for that person. It signs nothing, makes no way in and keeps
    nobody unlocked: HKDF does not run backwards, so there is no master key here. An answer of the
    organisation holds no more. Never prints, pickles or stores.
    """

    __slots__ = ("_opening_branch", "_private_keys", "user", "version")

    @sensitive_variables()
    def __init__(self, user: User, opening_branch: bytes, version: int) -> None:
        self.user = user
        self.version = version
        self._opening_branch = opening_branch
        self._private_keys: dict[uuid.UUID, RsaKey] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.user.pk}>"

    def __reduce__(self) -> Any:
        raise TypeError("a keyring stays in the request that unlocked it")

    def prove(self, pair: KeyPair) -> None:
        """Return if the private half opens. Raises CryptoError."""
        self._private_key(pair)

    @sensitive_variables()
    def unwrap_content_key(self, wrapped: WrappedKey, *, label: bytes) -> bytes:
        """Return the content key by RSA-OAEP. Raises CryptoError alike for every failure."""
        private_key = self._private_key(wrapped.key_pair)
        return unwrap(bytes(wrapped.oaep_bytes), private_key, label=label)

    @sensitive_variables()
    def wrap_quick_key(self, content_key: bytes, *, subject: uuid.UUID, lock: int) -> bytes:
        return wrap_key(content_key, self._quick_kek(subject, lock))

    @sensitive_variables()
    def unwrap_quick_key(self, quick_key: bytes, *, subject: uuid.UUID, lock: int) -> bytes:
        """Return the content key by its quick key. Raises CryptoError if it does not open."""
        return unwrap_key(quick_key, self._quick_kek(subject, lock))

    @sensitive_variables()
    def _quick_kek(self, subject: uuid.UUID, lock: int) -> bytes:
        info = context("quick-key", settings.SERVER_KEYS.instance_id, subject, self.user.pk, lock)
        return derive_key(self._branch("opening"), info)

    @sensitive_variables()
    def search_keys(self) -> SearchKeys:
        """Return what encrypts this person's search entries, and what proves them."""
        branch, place = self._branch("opening"), (settings.SERVER_KEYS.instance_id, self.user.pk)
        return SearchKeys(
            derive_key(branch, context("search-words", *place)),
            derive_key(branch, context("search-tags", *place)),
        )

    @sensitive_variables()
    def check_pins(self, body: bytes, tag: bytes) -> None:
        """Return if `tag` is the list's. Raises CryptoError."""
        check_mac(context("pins-body") + body, tag, self._pins_key())

    @sensitive_variables()
    def _pins_key(self) -> bytes:
        info = context("pins", settings.SERVER_KEYS.instance_id, self.user.pk)
        return derive_key(self._branch("opening"), info)

    @sensitive_variables()
    def _private_key(self, pair: KeyPair) -> RsaKey:
        """Return the private half of `pair`, unwrapped once per request.

        Raises CryptoError if it does not open, or is not the half of this public key.
        """
        if pair.user_id != self.user.pk:
            raise ValueError("a keyring opens its own person's keys")
        if pair.pk not in self._private_keys:
            der = unwrap_key(bytes(pair.wrapped_private_key or b""), self._private_key_kek(pair))
            private_key = keypair.load_private_key(der, public_der=bytes(pair.public_key))
            self._private_keys[pair.pk] = private_key
        return self._private_keys[pair.pk]

    @sensitive_variables()
    def _private_key_kek(self, pair: KeyPair) -> bytes:
        if pair.purpose not in KeyPair.Purpose.values:  # a row may hold any text
            raise CryptoError
        branch = "signing" if pair.purpose == KeyPair.Purpose.SIGNING else "opening"
        purpose = f"private-key/{pair.purpose}"
        return derive_key(self._branch(branch), context(purpose, self.user.pk, pair.epoch, pair.pk))

    @sensitive_variables()
    def _branch(self, name: str) -> bytes:
        """Return the branch of this name. Raises CryptoError for any but `opening`."""
        if name != "opening":
            raise CryptoError
        return self._opening_branch


class Keyring(OpeningKeys):
    """One person's master key: it also signs, makes ways in, and stays unlocked."""

    __slots__ = ("_master_key",)

    @sensitive_variables()
    def __init__(self, user: User, master_key: bytes, version: int) -> None:
        self._master_key = master_key
        super().__init__(user, _branch_of(master_key, "opening", user, version), version)

    @classmethod
    def new(cls, user: User) -> Self:
        """Make a new master key, not stored yet, for a person who has none."""
        return cls(user, secrets.token_bytes(MASTER_KEY_BYTES), user.master_key_version + 1)

    @sensitive_variables()
    def _branch(self, name: str) -> bytes:
        if name == "opening":
            return self._opening_branch
        return _branch_of(self._master_key, name, self.user, self.version)

    # (1) Private keys

    def sign(self, pair: KeyPair, kind: str, body: bytes) -> bytes:
        """Return the person's signature over a statement."""
        if pair.purpose != KeyPair.Purpose.SIGNING:
            raise ValueError("only a signing key signs")
        return sign_statement(kind, body, self._private_key(pair))

    @sensitive_variables()
    def wrap_private_key(self, pair: KeyPair, private_key: RsaKey) -> bytes:
        return wrap_key(keypair.private_der(private_key), self._private_key_kek(pair))

    @sensitive_variables()
    def take_over(self, pair: KeyPair, earlier: OpeningKeys) -> None:
        """Wrap a private key that `earlier` opens under this master key instead; not stored yet.

        Raises CryptoError if it does not open.
        """
        private_key = earlier._private_key(pair)
        pair.master_key_version = self.version
        pair.wrapped_private_key = self.wrap_private_key(pair, private_key)

    # (2) Ways in

    @sensitive_variables()
    def password_slot(self, password: str) -> KeySlot:
        """Return a new slot, not stored yet, that `password` opens."""
        slot = self._new_slot(KeySlot.Kind.PASSWORD)
        cost = cost_now()
        slot.time_cost, slot.memory_kib = cost.time_cost, cost.memory_kib
        slot.parallelism = cost.parallelism
        slot.wrapped_master_key = wrap_key(self._master_key, _password_kek(slot, password))
        return slot

    @sensitive_variables()
    def recovery_slot(self, new: NewCode) -> KeySlot:
        """Return a new slot, not stored yet, that the recovery code opens.

        The two groups to be typed back are kept under the opening key, so that typing can be
        checked without keeping anything that helps to guess the code.
        """
        slot = self._new_slot(KeySlot.Kind.RECOVERY_CODE)
        slot.wrapped_master_key = wrap_key(self._master_key, _recovery_kek(slot, new.code))
        slot.confirm_first, slot.confirm_second = new.confirm_first, new.confirm_second
        first, second = new.groups[new.confirm_first - 1], new.groups[new.confirm_second - 1]
        typed = (first + second).encode()
        slot.wrapped_confirmation = wrap_key(typed, self._confirmation_kek(slot))
        return slot

    @sensitive_variables()
    def confirms(self, slot: KeySlot, first: str, second: str) -> bool:
        """Whether these are the two groups of the slot's code that were asked for."""
        typed = recovery_code.fold(first) + recovery_code.fold(second)
        try:
            kept = unwrap_key(bytes(slot.wrapped_confirmation or b""), self._confirmation_kek(slot))
        except CryptoError:
            return False
        return secrets.compare_digest(typed.encode(), kept)

    @sensitive_variables()
    def _confirmation_kek(self, slot: KeySlot) -> bytes:
        return derive_key(self._branch("opening"), context("recovery-confirmation", slot.pk))

    @sensitive_variables()
    def organisation_slot(self, public_key: RsaKey, fingerprint: str) -> KeySlot:
        """Return a new slot, not stored yet, for the organisation's offline key.

        It holds the opening branch and not the master key, from which signing keys would hang.
        """
        slot = self._new_slot(KeySlot.Kind.ORGANISATION)
        slot.organisation_key = fingerprint
        instance = settings.SERVER_KEYS.instance_id
        label = slot_label(instance, self.user.pk, slot.pk, self.version, fingerprint)
        slot.wrapped_master_key = wrap(self._branch("opening"), public_key, label=label)
        return slot

    def _new_slot(self, kind: KeySlot.Kind) -> KeySlot:
        salt = secrets.token_bytes(SALT_BYTES)
        return KeySlot(user=self.user, kind=kind, salt=salt, master_key_version=self.version)

    # (3) What only their owner may have written

    @sensitive_variables()
    def tag_pins(self, body: bytes) -> bytes:
        """Return the tag of a list of compared contacts, under the opening branch."""
        return mac(context("pins-body") + body, self._pins_key())

    # (4) Staying unlocked

    @sensitive_variables()
    def custody_row(self, secret: bytes) -> Custody:
        """Return a new row, not stored yet and without its ends, that the cookie's secret opens
        for as long as the server keeps its present unlock key."""
        name, unlock_key = settings.UNLOCK_KEYS.newest()
        row = Custody(user=self.user, master_key_version=self.version, unlock_key=name)
        kek = _cookie_kek(row.pk, self.user, secret, unlock_key)
        row.wrapped_master_key = wrap_key(self._master_key, kek)
        return row


@sensitive_variables()
def _branch_of(master_key: bytes, name: str, user: User, version: int) -> bytes:
    return derive_key(master_key, context(name, user.pk, version))


# ---- opening the master key ------------------------------------------------------------------


@sensitive_variables()
def open_with_password(user: User, password: str) -> Keyring:
    """Return the keyring of `user`. Raises DoesNotOpen if no slot opens with this password."""
    return open_password_slot(password_slot_of(user), password)


def password_slot_of(user: User) -> KeySlot | None:
    return user.present_slots.filter(kind=KeySlot.Kind.PASSWORD).first()


@sensitive_variables()
def open_password_slot(slot: KeySlot | None, password: str) -> Keyring:
    """Return the keyring a password slot holds. Raises DoesNotOpen."""
    if slot is None or slot.kind != KeySlot.Kind.PASSWORD:
        raise DoesNotOpen
    with _opens_or_not():
        return _open_slot(slot, _password_kek(slot, password))


@sensitive_variables()
def open_with_recovery_code(slot: KeySlot | None, code: str) -> Keyring:
    """Return the keyring of the slot's person. Raises DoesNotOpen if this code does not open it."""
    if slot is None or slot.kind != KeySlot.Kind.RECOVERY_CODE:
        raise DoesNotOpen
    with _opens_or_not():
        return _open_slot(slot, _recovery_kek(slot, recovery_code.normalise(code)))


@sensitive_variables()
def open_with_answer(slot: KeySlot | None, code: str) -> OpeningKeys:
    """Return what the organisation's answer holds: the opening branch of the slot's person.

    Raises DoesNotOpen if this code does not open it, or its time is over.
    """
    if slot is None or slot.kind != KeySlot.Kind.ANSWER:
        raise DoesNotOpen
    if slot.ends_at is None or slot.ends_at <= timezone.now():
        raise DoesNotOpen
    with _opens_or_not():
        kek = _recovery_kek(slot, recovery_code.normalise(code))
        branch = unwrap_key(bytes(slot.wrapped_master_key), kek)
    return OpeningKeys(slot.user, branch, slot.master_key_version)


@sensitive_variables()
def open_with_cookie(user: User, row: Custody, secret: bytes) -> Keyring:
    """Return the keyring a custody row holds. Raises DoesNotOpen if the cookie is not its own, or
    the unlock key it names was destroyed."""
    with _opens_or_not():
        unlock_key = settings.UNLOCK_KEYS.get(row.unlock_key)
        kek = _cookie_kek(row.pk, user, secret, unlock_key)
        master_key = unwrap_key(bytes(row.wrapped_master_key), kek)
        return Keyring(user, master_key, row.master_key_version)


@sensitive_variables()
def _open_slot(slot: KeySlot, kek: bytes) -> Keyring:
    master_key = unwrap_key(bytes(slot.wrapped_master_key), kek)
    return Keyring(slot.user, master_key, slot.master_key_version)


@contextmanager
def _opens_or_not() -> Iterator[None]:
    """Make one refusal of every failure, of those that an altered row causes, too."""
    try:
        yield
    # KeyError: an unlock key that was destroyed. TypeError: a version that fits no context.
    except (CryptoError, KeyError, TypeError):
        raise DoesNotOpen from None


@sensitive_variables()
def _password_kek(slot: KeySlot, password: str) -> bytes:
    stretched = stretch_in_turn(password, salt=bytes(slot.salt), cost=cost_of(slot))
    return derive_key(stretched, _slot_context(slot))


def cost_of(slot: KeySlot) -> Argon2Cost:
    return Argon2Cost(slot.time_cost or 0, slot.memory_kib or 0, min(slot.parallelism or 1, 64))


@sensitive_variables()
def stretch_in_turn(secret: str, *, salt: bytes, cost: Argon2Cost) -> bytes:
    """Return the Argon2id key of a password, or of a spoken code, at the cost a row states.

    Raises DoesNotOpen for one that is not allowed, CryptoError, or Busy.
    """
    if not cost_is_allowed(cost):
        raise DoesNotOpen
    with KDF_TURNS.turn():
        return stretch(secret, salt=salt, cost=cost)


def cost_now() -> Argon2Cost:
    """What a password, or a spoken code, is stretched by from now on."""
    return Argon2Cost(settings.KDF_TIME_COST, settings.KDF_MEMORY_KIB, settings.KDF_PARALLELISM)


def cost_is_allowed(cost: Argon2Cost) -> bool:
    """A row under the floor weakens, one over the ceiling exhausts us."""
    return (
        settings.KDF_FLOOR_TIME_COST <= cost.time_cost <= settings.KDF_CEILING_TIME_COST
        and settings.KDF_FLOOR_MEMORY_KIB <= cost.memory_kib <= settings.KDF_CEILING_MEMORY_KIB
    )


@sensitive_variables()
def _recovery_kek(slot: KeySlot, code: str) -> bytes:
    return derive_key(code.encode("ascii"), _slot_context(slot), salt=bytes(slot.salt))


def _slot_context(slot: KeySlot) -> bytes:
    return context(f"key-slot/{slot.kind}", slot.user_id, slot.pk, slot.master_key_version)


@sensitive_variables()
def _cookie_kek(custody_id: uuid.UUID, user: User, secret: bytes, unlock_key: bytes) -> bytes:
    if len(secret) != COOKIE_SECRET_BYTES:
        raise CryptoError
    return derive_key(secret, context("custody", custody_id, user.pk), salt=unlock_key)
