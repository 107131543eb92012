"""A person's own change of password."""

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, open_with_password, password_slot_of
from accounts.erasure import truncate_write_ahead_log
from accounts.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.services.acts import recorded
from accounts.services.holding import hold_keys
from accounts.unlocking import end_unlocks
from audit.events import Event


@sensitive_variables()
def change_password(*, user: User, old_password: str, new_password: str) -> Keyring:
    """Wrap the master key under the new password and destroy the old slot at once.

    Every session of this person ends; the caller signs the present one in again. Raises
    DoesNotOpen if the old password does not open the keys, or they were changed meanwhile.
    """
    keyring = open_with_password(user, old_password)
    old = password_slot_of(user)
    new = keyring.password_slot(new_password)
    old_hash = user.password
    user.set_password(new_password)
    with recorded(Event.ACCOUNT_PASSWORD_CHANGED, user) as facts:
        facts["keyset"] = _swap(user, old, old_hash, new)
        truncate_write_ahead_log()
    return keyring


def _swap(user: User, old: KeySlot, old_hash: str, new: KeySlot) -> str:
    with transaction.atomic():
        current = hold_keys(user, version=new.master_key_version)
        # Two changes at once: the second finds its starting point gone, and changes nothing.
        if current.password != old_hash or not KeySlot.objects.filter(pk=old.pk).exists():
            raise DoesNotOpen
        replace_password_slot(user, new)
        end_unlocks(user)
        return keyset_digest(user.pk)


def replace_password_slot(user: User, slot: KeySlot) -> None:
    """Store the new hash and the new slot, and drop the old one, in the caller's transaction."""
    replace_slot(slot)
    drop_answer(user)
    user.save(update_fields=["password"])


def drop_answer(user: User) -> None:
    """Who still has a way in of their own needs no recovery by the organisation, or refuses it."""
    user.present_slots.filter(kind=KeySlot.Kind.ANSWER).delete()


def replace_slot(slot: KeySlot) -> None:
    """Store a slot in the place of its kind, in the caller's transaction."""
    slot.user.present_slots.filter(kind=slot.kind).delete()
    slot.save(force_insert=True)
