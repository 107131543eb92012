"""After a theft: the person proves who they are, and gets a new master key, and new pairs below
it."""

import secrets

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, NewCode, OpeningKeys
from accounts.keys.certified import record_certified
from accounts.keys.keysets import row_digest
from accounts.keys.orders import stolen_order_of
from accounts.keys.remembered import standing_on_record
from accounts.mail import tell
from accounts.models import KeySlot, User, token_digest
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.master_keys import make_master_key
from accounts.services.organisation.slots import answer_slot_of
from accounts.services.organisation.trail import was_taken
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.recovery import recovery_slot_of
from audit.events import Event
from cryptocore import recovery_code
from cryptocore.errors import CryptoError


@sensitive_variables()
def is_operators_code(user: User, code: str) -> bool:
    """Whether this is the one-time code that an operator was shown last for this person, as the
    trail knows it. Raises AuditUnavailable."""
    theft = standing_on_record(user.pk).open_theft if stolen_order_of(user) else None
    try:
        digest = token_digest(recovery_code.normalise(code))
    except CryptoError:
        return False
    return theft is not None and secrets.compare_digest(digest, theft.facts.get("code", ""))


def known_recovery_slot(user: User) -> KeySlot | None:
    """Return the slot of the person's recovery code, if it is the one that was there when the order
    after the theft was given: the thief of the master key can write others. Raises
    AuditUnavailable."""
    slot, theft = recovery_slot_of(user), standing_on_record(user.pk).open_theft
    is_known = slot and theft and theft.facts.get("recovery_slot") == row_digest(slot).hex()
    return slot if is_known else None


def known_answer_slot(user: User) -> KeySlot | None:
    """Return the slot of the organisation's answer, if the trail knows that it was taken. Raises
    AuditUnavailable."""
    slot = answer_slot_of(user)
    return slot if slot and was_taken(user.pk, slot.pk) else None


@sensitive_variables()
def replace_keys(*, stolen: OpeningKeys, new_password: str) -> tuple[Keyring, NewCode]:
    """Replace password, master key, recovery code and all pairs; the old slots are destroyed.

    If a private key does not open they stay: they are the ways to it, should it be repaired. What
    is wrapped to the stolen pairs is wrapped again in the session that follows. Raises DoesNotOpen
    if this was done meanwhile, or the open keys are not this person's; then nothing has changed.
    """
    user = stolen.user
    require_own_keys(stolen)
    hash_before = user.password
    made = make_master_key(user=user, password=new_password, earlier=stolen)
    user.set_password(new_password)
    with changing_keys(
        Event.KEYS_REPLACED,
        user,
        reason="compromised",
        signing=made.signing.fingerprint,
        encryption=made.encryption.fingerprint,
    ):
        if stolen_order_of(user) is None:
            raise DoesNotOpen
        made.store(hash_before, stolen=True)
        stopped = stop_waiting(user)
    record_certified(made.signing)
    record_stopped(user, stopped)
    text = _("Your password and all your keys were replaced at %(site)s.")
    tell(user, _("Your keys were replaced"), text)
    return made.keyring, made.new_code
