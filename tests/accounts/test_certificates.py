"""Nothing is wrapped to a public key that does not verify. The attacker writes to the database."""

import pytest

from accounts.keys.certificates import (
    NoKeys,
    signing_pair_of,
    verified_encryption_key,
    verified_signing_key,
    wrapping_key_of,
)
from accounts.keys.recipients import recipient_of
from accounts.models import KeyPair
from audit.models import AuditEntry
from cryptocore.errors import CryptoError


def pair_of(person, purpose="encryption"):
    return person.user.key_pairs.get(purpose=purpose)


def test_a_persons_own_keys_verify(alice):
    pair, public_key = wrapping_key_of(alice.user.pk)
    assert pair == pair_of(alice)
    assert public_key.size_in_bits() == 3072
    assert verified_signing_key(signing_pair_of(alice.user.pk))


@pytest.mark.parametrize("purpose", ["signing", "encryption"])
@pytest.mark.parametrize("field", ["certificate", "certificate_signature", "public_key"])
def test_a_flipped_bit_is_refused(alice, purpose, field):
    pair = pair_of(alice, purpose)
    damaged = bytearray(bytes(getattr(pair, field)))
    damaged[len(damaged) // 2] ^= 1
    setattr(pair, field, bytes(damaged))
    pair.save()
    with pytest.raises(CryptoError):
        wrapping_key_of(alice.user.pk)


@pytest.mark.attack("B9")
@pytest.mark.parametrize(
    "columns",
    [
        ["public_key"],
        ["public_key", "fingerprint"],
        ["public_key", "fingerprint", "certificate", "certificate_signature"],
    ],
)
def test_mallorys_key_in_bobs_place_is_refused(bob, mallory, columns):
    values = {column: getattr(pair_of(mallory), column) for column in columns}
    KeyPair.objects.filter(user=mallory.user).update(state="destroyed")
    if "fingerprint" in values:
        KeyPair.objects.filter(pk=pair_of(mallory).pk).update(fingerprint="0" * 64)
    KeyPair.objects.filter(pk=pair_of(bob).pk).update(**values)
    with pytest.raises(CryptoError):
        wrapping_key_of(bob.user.pk)
    with pytest.raises(NoKeys):
        recipient_of(bob.user)
    assert AuditEntry.objects.filter(event="key:refused", subject=bob.user.pk).exists()


def test_mallorys_whole_row_given_to_bob_is_refused(bob, mallory):
    KeyPair.objects.filter(user=bob.user).delete()
    KeyPair.objects.filter(user=mallory.user).update(user=bob.user)
    with pytest.raises(CryptoError):
        wrapping_key_of(bob.user.pk)


@pytest.mark.parametrize(("field", "value"), [("epoch", 2), ("purpose", "signing")])
def test_a_certificate_speaks_of_one_row_only(alice, field, value):
    pair = pair_of(alice)
    setattr(pair, field, value)
    with pytest.raises(CryptoError):
        verified_encryption_key(pair)


@pytest.mark.attack("B13")
def test_a_signing_key_certified_by_another_installation_is_refused(alice, settings):
    from imageshare import keyfile
    from imageshare.keyfile import ServerKeys
    from tests.environment import DATA_DIR

    other = DATA_DIR / "other-keys.json"
    keyfile.create(other)
    settings.SERVER_KEYS = ServerKeys.load(other)
    other.unlink()
    with pytest.raises(CryptoError):
        verified_signing_key(pair_of(alice, "signing"))


@pytest.mark.parametrize("state", ["open-only", "compromised", "destroyed"])
def test_nothing_is_wrapped_to_a_pair_that_is_not_primary(alice, state):
    KeyPair.objects.filter(pk=pair_of(alice).pk).update(state=state)
    with pytest.raises(NoKeys):
        wrapping_key_of(alice.user.pk)


def test_without_a_recovery_code_nothing_is_received(make_person):
    with pytest.raises(NoKeys):
        recipient_of(make_person("dora", with_code=False).user)
