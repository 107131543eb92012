"""Recovery codes: made, typed back, and used when a password is forgotten."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, open_with_recovery_code
from accounts.erasure import truncate_write_ahead_log
from accounts.keysets import keyset_digest
from accounts.models import KeySlot, User
from accounts.services.acts import recorded
from accounts.services.holding import hold_keys
from accounts.services.new_start import record_stopped, stop_waiting
from accounts.services.passwords import replace_password_slot, replace_slot
from accounts.unlocking import end_unlocks
from audit.events import Event
from cryptocore import recovery_code


@dataclass(frozen=True)
class NewCode:
    """A recovery code, to be shown once. Never prints itself."""

    code: str = field(repr=False)
    confirm_first: int
    confirm_second: int

    @property
    def groups(self) -> list[str]:
        return recovery_code.groups(self.code)


def recovery_slot_of(user: User) -> KeySlot | None:
    return user.present_slots.filter(kind=KeySlot.Kind.RECOVERY_CODE).first()


@sensitive_variables()
def make_recovery_code(*, keyring: Keyring) -> NewCode:
    """Make a recovery code and its slot; an earlier code stops working.

    Raises DoesNotOpen if the keys were replaced, or are to be, meanwhile.
    """
    user = keyring.user
    code, slot = _new_slot(keyring)
    with recorded(Event.RECOVERY_CODE_MADE, user) as facts:
        with transaction.atomic():
            hold_keys(user, version=keyring.version)
            replace_slot(slot)
            facts["keyset"] = keyset_digest(user.pk)
        truncate_write_ahead_log()
    return NewCode(code, slot.confirm_first, slot.confirm_second)


@sensitive_variables()
def confirm_recovery_code(*, keyring: Keyring, first: str, second: str) -> bool:
    """Return whether the two groups typed back are right, and remember that they were."""
    slot = recovery_slot_of(keyring.user)
    if slot is None or not keyring.confirms(slot, first, second):
        return False
    with recorded(Event.RECOVERY_CODE_CONFIRMED, keyring.user) as facts, transaction.atomic():
        User.objects.select_for_update().get(pk=keyring.user.pk)
        KeySlot.objects.filter(pk=slot.pk).update(confirmed_at=timezone.now())
        facts["keyset"] = keyset_digest(keyring.user.pk)
    return True


@sensitive_variables()
def is_own_code(user: User, code: str) -> bool:
    """Whether this is the person's recovery code, and not a one-time code of the organisation."""
    try:
        open_with_recovery_code(recovery_slot_of(user), code)
    except DoesNotOpen:
        return False
    return True


def record_working_code(*, user: User) -> None:
    """Remember that the person still has their code: they typed all of it, and it is right."""
    with recorded(Event.RECOVERY_CODE_TESTED, user) as facts, transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        codes = user.present_slots.filter(kind=KeySlot.Kind.RECOVERY_CODE)
        codes.update(confirmed_at=timezone.now())
        facts["keyset"] = keyset_digest(user.pk)


@sensitive_variables()
def recover(*, user: User, code: str, new_password: str) -> tuple[Keyring, NewCode]:
    """Set a new password by the recovery code, which is used up: a new one takes its place.

    Both at once, so that at no moment the account has only one way in. Every other session ends.
    Raises DoesNotOpen if the code is not this person's, or was used meanwhile.
    """
    used = recovery_slot_of(user)
    keyring = open_with_recovery_code(used, code)
    new_code, recovery_slot = _new_slot(keyring)
    password_slot = keyring.password_slot(new_password)
    user.set_password(new_password)
    with recorded(Event.ACCOUNT_RECOVERED, user) as facts:
        with transaction.atomic():
            hold_keys(user, version=keyring.version)
            if not KeySlot.objects.filter(pk=used.pk).exists():
                raise DoesNotOpen
            replace_password_slot(user, password_slot)
            replace_slot(recovery_slot)
            end_unlocks(user)
            stopped = stop_waiting(user)
            facts["keyset"] = keyset_digest(user.pk)
        truncate_write_ahead_log()
    record_stopped(user, stopped)
    return keyring, NewCode(new_code, recovery_slot.confirm_first, recovery_slot.confirm_second)


@sensitive_variables()
def _new_slot(keyring: Keyring) -> tuple[str, KeySlot]:
    code = recovery_code.new_code()
    return code, keyring.recovery_slot(code)
