"""What opens keys, and everything that must not."""

import pickle
import uuid

import pytest

from accounts import custody
from accounts.custody import DoesNotOpen, Keyring
from accounts.models import KeyPair, KeySlot
from cryptocore.errors import CryptoError
from tests.conftest import PASSWORD


def slot_of(person, kind="password"):
    return KeySlot.objects.get(user=person.user, kind=kind)


@pytest.mark.parametrize("kind", ["password", "recovery-code"])
@pytest.mark.parametrize("field", ["wrapped_master_key", "salt"])
def test_a_flipped_bit_in_a_slot_opens_nothing(alice, kind, field):
    slot = slot_of(alice, kind)
    damaged = bytearray(bytes(getattr(slot, field)))
    damaged[-1] ^= 1
    setattr(slot, field, bytes(damaged))
    slot.save()
    ways = {
        "password": lambda: custody.open_with_password(alice.user, PASSWORD),
        "recovery-code": lambda: custody.open_with_recovery_code(
            slot_of(alice, "recovery-code"), alice.recovery_code
        ),
    }
    with pytest.raises(DoesNotOpen):
        ways[kind]()


@pytest.mark.parametrize("field", ["wrapped_master_key", "salt"])
def test_somebody_elses_slot_opens_nothing(alice, bob, field):
    # Both have the same password; each slot is bound to its person and its own id.
    KeySlot.objects.filter(pk=slot_of(alice).pk).update(
        wrapped_master_key=bytes(slot_of(bob).wrapped_master_key), salt=bytes(slot_of(bob).salt)
    )
    with pytest.raises(DoesNotOpen):
        custody.open_with_password(alice.user, PASSWORD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_cost", 0),
        ("time_cost", 10_000),
        ("memory_kib", 8),
        ("memory_kib", 2**31 - 1),
        ("time_cost", None),
        ("master_key_version", 2),
    ],
)
def test_a_weaker_or_exhausting_cost_in_the_row_is_refused(alice, field, value):
    KeySlot.objects.filter(pk=slot_of(alice).pk).update(**{field: value})
    with pytest.raises(DoesNotOpen):
        custody.open_with_password(alice.user, PASSWORD)


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("KDF_FLOOR_TIME_COST", 2),
        ("KDF_FLOOR_MEMORY_KIB", 65),
        ("KDF_CEILING_TIME_COST", 0),
        ("KDF_CEILING_MEMORY_KIB", 63),
    ],
)
def test_a_cost_outside_floor_and_ceiling_is_refused_though_it_would_open(
    alice, settings, monkeypatch, limit, value
):
    derived = []
    monkeypatch.setattr(custody, "stretch", lambda *_, **__: derived.append(1) or bytes(32))
    setattr(settings, limit, value)
    with pytest.raises(DoesNotOpen):
        custody.open_with_password(alice.user, PASSWORD)
    assert derived == []  # refused before any work


def test_a_cookie_opens_its_own_row_for_its_own_person_and_no_copy_of_it(alice, bob):
    """A row whose time is over must not come back as a new one."""
    secret = bytes(range(32))
    kept = alice.keyring.custody_row(secret)
    assert custody.open_with_cookie(alice.user, kept, secret).version == alice.keyring.version
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(bob.user, kept, secret)
    kept.pk = uuid.uuid4()
    with pytest.raises(DoesNotOpen):
        custody.open_with_cookie(alice.user, kept, secret)


@pytest.fixture
def nothing_opened(alice):
    """Her keys as at the beginning of a request: each is opened once in one."""
    alice.keyring._private_keys.clear()


@pytest.mark.usefixtures("nothing_opened")
def test_swapped_private_keys_do_not_open(alice, bob):
    ours = alice.user.key_pairs.get(purpose="encryption")
    theirs = bob.user.key_pairs.get(purpose="encryption")
    ours.wrapped_private_key = bytes(theirs.wrapped_private_key)
    with pytest.raises(CryptoError):
        alice.keyring._private_key(ours)


@pytest.mark.usefixtures("nothing_opened")
def test_a_private_key_with_another_public_half_is_refused(alice, bob):
    ours = alice.user.key_pairs.get(purpose="encryption")
    ours.public_key = bytes(bob.user.key_pairs.get(purpose="encryption").public_key)
    with pytest.raises(CryptoError):
        alice.keyring._private_key(ours)


@pytest.mark.usefixtures("nothing_opened")
@pytest.mark.parametrize(
    ("field", "value"), [("epoch", 2), ("purpose", "signing"), ("purpose", "No such")]
)
def test_a_private_key_moved_to_another_place_does_not_open(alice, field, value):
    pair = alice.user.key_pairs.get(purpose="encryption")
    setattr(pair, field, value)
    with pytest.raises(CryptoError):
        alice.keyring._private_key(pair)


def test_a_keyring_opens_its_own_persons_keys_only(alice, bob):
    with pytest.raises(ValueError, match="own person"):
        alice.keyring._private_key(bob.user.key_pairs.get(purpose="encryption"))


def test_an_encryption_key_does_not_sign(alice):
    pair = alice.user.key_pairs.get(purpose="encryption")
    with pytest.raises(ValueError, match="signing key"):
        alice.keyring.sign(pair, "manifest", b"{}")


def test_a_keyring_prints_no_key_and_is_not_stored(alice):
    assert repr(alice.keyring) == f"<Keyring of {alice.user.pk}>"
    with pytest.raises(TypeError):
        pickle.dumps(alice.keyring)


@pytest.mark.attack("A5")
def test_master_keys_and_key_pairs_are_everybodys_own(alice, bob):
    assert alice.keyring._master_key != bob.keyring._master_key
    fingerprints = KeyPair.objects.values_list("fingerprint", flat=True)
    assert len(set(fingerprints)) == 4


def test_two_keyrings_of_one_person_open_the_same(alice):
    again = custody.open_with_password(alice.user, PASSWORD)
    by_code = custody.open_with_recovery_code(slot_of(alice, "recovery-code"), alice.recovery_code)
    assert isinstance(again, Keyring)
    assert again._master_key == by_code._master_key == alice.keyring._master_key
