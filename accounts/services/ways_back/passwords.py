"""A person's own change of password, and the return of one that was set aside."""

from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, open_with_password, password_slot_of
from accounts.models import KeySlot, User
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.password_mails import tell_changed, tell_restored
from accounts.unlocks import end_unlocks
from audit.events import Event


@sensitive_variables()
def change_password(*, user: User, old_password: str, new_password: str) -> Keyring:
    """Wrap the master key under the new password and destroy the old slot at once.

    Every session of this person ends; the caller signs this one in again. Raises DoesNotOpen if the
    old password does not open the keys, or they were changed meanwhile.
    """
    keyring = open_with_password(user, old_password)
    require_own_keys(keyring)
    old = password_slot_of(user)
    if old is None:  # dropped since it was opened
        raise DoesNotOpen
    new = keyring.password_slot(new_password)
    old_hash = user.password
    user.set_password(new_password)
    with changing_keys(Event.ACCOUNT_PASSWORD_CHANGED, user) as change:
        change.require_version(keyring.version)
        # Two changes at once: the second finds its starting point gone, and changes nothing.
        if change.person.password != old_hash or not KeySlot.objects.filter(pk=old.pk).exists():
            raise DoesNotOpen
        replace_password_slot(user, new)
        end_unlocks(user)
    tell_changed(user)
    return keyring


@sensitive_variables()
def restore_password(*, user: User, password: str) -> None:
    """Make `password`, which opens the person's keys, the one that signs in again.

    Another was set since, by mail or at a shell. Anybody who did that is signed out, and a new
    start that waits is stopped. Raises DoesNotOpen if it does not open the keys, or no longer.
    """
    keyring, slot = open_with_password(user, password), password_slot_of(user)
    require_own_keys(keyring)
    if slot is None:  # dropped since it was opened
        raise DoesNotOpen
    user.set_password(password)
    with changing_keys(Event.ACCOUNT_PASSWORD_RESTORED, user) as change:
        change.require_version(keyring.version)
        if not KeySlot.objects.filter(pk=slot.pk).exists():
            raise DoesNotOpen
        user.save(update_fields=["password"])
        drop_answer(user)
        end_unlocks(user)
        stopped = stop_waiting(user)
    record_stopped(user, stopped)
    tell_restored(user)


def replace_password_slot(user: User, slot: KeySlot) -> None:
    """Store the new hash and the new slot, and drop the old one, in the caller's transaction."""
    replace_slot(slot)
    drop_answer(user)
    user.save(update_fields=["password"])


def drop_answer(user: User) -> None:
    """A person who still has a way in of their own needs no recovery by the organisation, or
    refuses it."""
    user.present_slots.filter(kind=KeySlot.Kind.ANSWER).delete()


def replace_slot(slot: KeySlot) -> None:
    """Store a slot in the place of its kind, in the caller's transaction."""
    slot.user.present_slots.filter(kind=slot.kind).delete()
    slot.save(force_insert=True)
