"""Keys that the current password does not open, because it was set elsewhere.

A password set elsewhere (`changepassword`, a shell, a reset by mail) leaves the key slots alone.
The earlier password, or the recovery code, brings the keys back under the current one.
"""

from django.views.decorators.debug import sensitive_variables

from accounts.custody import (
    DoesNotOpen,
    Keyring,
    open_password_slot,
    open_with_password,
    open_with_recovery_code,
    password_slot_of,
)
from accounts.keys import pins
from accounts.models import KeyOrder, KeyPair, KeySlot, User
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.password_mails import tell_brought_back
from accounts.services.ways_back.passwords import drop_answer, replace_slot
from accounts.services.ways_back.taking_over import pairs_under, taken_over
from audit.events import Event


@sensitive_variables()
def bring_back(*, user: User, old_password: str, password: str) -> Keyring:
    """Open the keys with the earlier password and wrap them under `password`, the current one.

    Stops a new start that waits. Raises DoesNotOpen if the old password opens nothing, or the
    keys changed meanwhile.
    """
    keyring = open_with_password(user, old_password)
    require_own_keys(keyring)
    old, new = password_slot_of(user), keyring.password_slot(password)
    if old is None:  # dropped since it was opened
        raise DoesNotOpen
    with changing_keys(Event.KEYS_BROUGHT_BACK, user, way="old-password") as change:
        change.require_version(keyring.version)
        still = KeySlot.objects.filter(pk=old.pk).exists()
        if change.person.password != user.password or not still:
            raise DoesNotOpen
        replace_slot(new)
        drop_answer(user)
        stopped = stop_waiting(user)
    record_stopped(user, stopped)
    tell_brought_back(user)
    return keyring


# ---- from below an earlier master key --------------------------------------------------------


@sensitive_variables()
def bring_back_earlier(*, keyring: Keyring, secret: str) -> int:
    """Open the keys of the time before a new start, or those a replacement had to leave because
    they did not open then, and wrap the private keys under the current master key.

    `secret` is the password or the recovery code of that time. Returns how many pairs came back;
    their content keys are wrapped again as the person goes on. Raises DoesNotOpen.
    """
    earlier = _open_earlier(keyring.user, secret)
    require_own_keys(keyring)
    pairs = taken_over(keyring=keyring, earlier=earlier)
    if not pairs:
        raise DoesNotOpen
    with changing_keys(Event.KEYS_BROUGHT_BACK, keyring.user, way="earlier-keys") as change:
        change.require_version(keyring.version)
        _store_taken_over(keyring, earlier, pairs)
    return len(pairs)


@sensitive_variables()
def _open_earlier(user: User, secret: str) -> Keyring:
    """Return the newest earlier keyring that `secret` opens. Raises DoesNotOpen."""
    for slot in user.earlier_slots:
        opens = _EARLIER_WAYS.get(slot.kind)
        try:
            if opens:
                return opens(slot, secret)
        except DoesNotOpen:
            continue
    raise DoesNotOpen


_EARLIER_WAYS = {
    KeySlot.Kind.PASSWORD.value: open_password_slot,
    KeySlot.Kind.RECOVERY_CODE.value: open_with_recovery_code,
}


def _store_taken_over(keyring: Keyring, earlier: Keyring, pairs: list[KeyPair]) -> None:
    """Exchange the rows, in the caller's transaction; the earlier ways in are no longer needed."""
    user = keyring.user
    slots = user.key_slots.filter(master_key_version=earlier.version)
    if not slots.exists():
        raise DoesNotOpen
    for pair in pairs:
        pair.save(update_fields=["wrapped_private_key", "master_key_version"])
    if not pairs_under(earlier):
        slots.delete()
        under_earlier = KeyPair.objects.filter(user=user, master_key_version=earlier.version)
        under_earlier.update(wrapped_private_key=None)
    pins.take_over(keyring=keyring, earlier=earlier)
    KeyOrder.objects.order_rewrapping(user)
