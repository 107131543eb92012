"""Making a person's keys: master key, first slot, signing and encryption pair, MAC key."""

from dataclasses import dataclass, field

from Crypto.PublicKey.RSA import RsaKey
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.certificates import Names, certify_encryption_key, certify_signing_key
from accounts.keys.certified import (
    NameTaken,
    record_certified,
    record_name_given,
    require_own_name,
)
from accounts.keys.keysets import keyset_digest
from accounts.keys.mac_keys import new_mac_key_row
from accounts.models import KeyPair, KeySlot, MacKey, User
from accounts.turns import KEY_MAKING_TURNS
from audit.events import Event, Outcome, record, record_after
from cryptocore import keypair


@dataclass(frozen=True)
class NewKeys:
    """Everything a new account needs, made but not stored. Never prints."""

    keyring: Keyring
    slot: KeySlot = field(repr=False)
    signing: KeyPair
    encryption: KeyPair
    mac_key: MacKey = field(repr=False)

    def store(self) -> str:
        """Insert the rows, inside the caller's transaction, which also inserted the person.

        Returns the digest of these rows.
        """
        user = self.keyring.user
        user.master_key_version = self.keyring.version
        user.save(update_fields=["master_key_version"])
        for row in (self.slot, self.signing, self.encryption, self.mac_key):
            row.save(force_insert=True)
        return keyset_digest(user.pk)


@sensitive_variables()
def make_keys(*, user: User, password: str) -> NewKeys:
    """Make a person's first keys, a few seconds' work. Outside any transaction.

    Raises NameTaken if the trail knows their username as another's, or AuditUnavailable.
    """
    require_own_name(user.pk, user.username)
    keyring = Keyring.new(user)
    signing = new_pair(keyring, KeyPair.Purpose.SIGNING, epoch=1)
    certify_signing_key(signing, names=Names(user.username, str(user)))
    encryption = new_pair(keyring, KeyPair.Purpose.ENCRYPTION, epoch=1)
    certify_encryption_key(encryption, keyring, signing)
    mac_key = new_mac_key_row(user, epoch=1)
    return NewKeys(keyring, keyring.password_slot(password), signing, encryption, mac_key)


@sensitive_variables()
def new_pair(keyring: Keyring, purpose: KeyPair.Purpose, *, epoch: int) -> KeyPair:
    """Return a new pair, its private half wrapped; not certified, not stored yet."""
    private_key = generate_private_key()
    public_der = keypair.public_der(private_key.public_key())
    pair = KeyPair(user=keyring.user, purpose=purpose, epoch=epoch, public_key=public_der)
    pair.fingerprint = keypair.fingerprint(public_der)
    pair.master_key_version = keyring.version
    pair.wrapped_private_key = keyring.wrap_private_key(pair, private_key)
    return pair


def generate_private_key() -> RsaKey:
    with KEY_MAKING_TURNS.turn():
        return keypair.generate()


@sensitive_variables()
def make_keys_at_first_sign_in(*, user: User, password: str) -> Keyring | None:
    """Make and store the keys of an account that came without, as createsuperuser's do.

    Whether it may have them is asked before (services/first_keys.py). Returns None if another
    request made them first, or the name is another's: then somebody put the account in beside us.
    """
    try:
        keys = make_keys(user=user, password=password)
    except NameTaken:
        event, refused = Event.KEY_REFUSED, Outcome.REFUSED
        record(event, actor=None, subject=user.pk, outcome=refused, reason="name")
        return None
    record(Event.KEYS_MADE, actor=user.pk, subject=user.pk, outcome=Outcome.INTENDED)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.master_key_version or KeyPair.objects.filter(user=user).exists():
            return None
        keyset = keys.store()
    record_made(keys, keyset)
    return keys.keyring


def record_made(keys: NewKeys, keyset: str) -> None:
    person = keys.keyring.user.pk
    record_after(
        Event.KEYS_MADE,
        actor=person,
        subject=person,
        signing=keys.signing.fingerprint,
        encryption=keys.encryption.fingerprint,
        keyset=keyset,
    )
    record_certified(keys.signing)
    record_name_given(person, keys.keyring.user.username)
