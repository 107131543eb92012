"""A new master key for somebody who has one: after a theft, a recovery by the organisation, or a
new start.

With the earlier master key open, every private key that is still needed is taken over, so nothing
is lost; without it (a new start) the earlier keys stay as they are, in case the password or the
code is found again.
"""

from dataclasses import dataclass, field

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, NewCode, OpeningKeys
from accounts.keys import pins
from accounts.keys.certificates import certify_encryption_key, certify_signing_key, endorse
from accounts.keys.certified import known_certificate_of
from accounts.keys.mac_keys import new_mac_key_row
from accounts.models import KeyOrder, KeyPair, KeySlot, MacKey, User, WrappedKey
from accounts.services.key_making import new_pair
from accounts.services.ways_back.taking_over import pairs_under, taken_over
from accounts.unlocks import end_unlocks

SIGNING, ENCRYPTION = KeyPair.Purpose.SIGNING, KeyPair.Purpose.ENCRYPTION
State = KeyPair.State


@dataclass(frozen=True)
class NewMasterKey:
    """A new master key and all that hangs below it, made but not stored. Never prints."""

    keyring: Keyring
    earlier: OpeningKeys | None = field(repr=False)
    slots: list[KeySlot] = field(repr=False)
    new_code: NewCode
    signing: KeyPair
    encryption: KeyPair
    taken_over: list[KeyPair]
    mac_key: MacKey = field(repr=False)

    @sensitive_variables()
    def store(self, password_hash_before: str, *, stolen: bool = False) -> None:
        """Exchange the rows inside the caller's transaction.

        `stolen`: the earlier pairs become compromised rather than open-only. Raises DoesNotOpen if
        password or master key were changed meanwhile.
        """
        user = self.keyring.user
        held = User.objects.select_for_update().get(pk=user.pk)
        before = (held.password, held.master_key_version)
        if before != (password_hash_before, self.keyring.version - 1):
            raise DoesNotOpen
        self._retire_pairs(stolen)
        # Slots of the time before a new start, or of a pair that did not open, stay: they are the
        # only way to the keys of that time.
        if self.earlier and not pairs_under(self.earlier):
            KeySlot.objects.filter(user=user, master_key_version=self.earlier.version).delete()
        WrappedKey.objects.filter(key_pair__user=user).update(quick_key=None)
        user.master_key_version = self.keyring.version
        user.session_epoch = held.session_epoch + 1
        user.save(update_fields=["password", "master_key_version", "session_epoch"])
        for row in (*self.slots, self.signing, self.encryption, self.mac_key):
            row.save(force_insert=True)
        KeyOrder.objects.filter(user=user, done_at=None).update(done_at=timezone.now())
        if self.taken_over:
            KeyOrder.objects.order_rewrapping(user)
        if self.earlier:
            pins.take_over(keyring=self.keyring, earlier=self.earlier)
        end_unlocks(user)

    def _retire_pairs(self, stolen: bool) -> None:
        """Let no earlier pair be primary. What is taken over opens on; an earlier signing key,
        whose signatures stay verifiable, is destroyed."""
        state = State.COMPROMISED if stolen else State.OPEN_ONLY
        since = timezone.now() if stolen else None
        primary = KeyPair.objects.filter(user=self.keyring.user, state=State.PRIMARY)
        primary.update(state=state, compromised_at=since)
        for pair in self.taken_over:
            KeyPair.objects.filter(pk=pair.pk).update(
                wrapped_private_key=pair.wrapped_private_key,
                master_key_version=pair.master_key_version,
            )
        if self.earlier:
            signing = KeyPair.objects.filter(user=self.keyring.user, purpose=SIGNING)
            signing.update(wrapped_private_key=None)


@sensitive_variables()
def make_master_key(*, user: User, password: str, earlier: OpeningKeys | None) -> NewMasterKey:
    """Make a new master key, its ways in and its pairs: some seconds' work, outside a transaction.

    `earlier` open: its private keys are taken over, and the new signing key is endorsed by the
    one before it, unless that was stolen, for a thief's word is worth nothing, or `earlier` is an
    opening branch alone. Of a pair that does not open, row and ways in stay as they are.
    """
    keyring = Keyring.new(user)
    signing = _next_pair(keyring, SIGNING)
    before = _newest(user, SIGNING)
    certify_signing_key(signing, before, known=known_certificate_of(user.pk))
    encryption = _next_pair(keyring, ENCRYPTION)
    certify_encryption_key(encryption, keyring, signing)
    can_endorse = before and before.wrapped_private_key and not before.compromised_at
    if isinstance(earlier, Keyring) and before and can_endorse:
        endorse(signing, by=before, keyring=earlier)
    new_code = NewCode.new()
    epochs = MacKey.objects.filter(user=user).order_by("-epoch").values_list("epoch", flat=True)
    return NewMasterKey(
        keyring=keyring,
        earlier=earlier,
        slots=[keyring.password_slot(password), keyring.recovery_slot(new_code)],
        new_code=new_code,
        signing=signing,
        encryption=encryption,
        taken_over=taken_over(keyring=keyring, earlier=earlier) if earlier else [],
        mac_key=new_mac_key_row(user, epoch=(epochs.first() or 0) + 1),
    )


def _newest(user: User, purpose: KeyPair.Purpose) -> KeyPair | None:
    return KeyPair.objects.filter(user=user, purpose=purpose).order_by("-epoch").first()


@sensitive_variables()
def _next_pair(keyring: Keyring, purpose: KeyPair.Purpose) -> KeyPair:
    before = _newest(keyring.user, purpose)
    return new_pair(keyring, purpose, epoch=before.epoch + 1 if before else 1)
