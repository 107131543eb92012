"""Recovery codes: made, typed back, and used when a password is forgotten."""

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, NewCode, open_with_recovery_code
from accounts.models import KeySlot, User
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.ways_back.new_start import record_stopped, stop_waiting
from accounts.services.ways_back.password_mails import tell_code_made, tell_recovered
from accounts.services.ways_back.passwords import replace_password_slot, replace_slot
from accounts.unlocks import end_unlocks
from audit.events import Event


def recovery_slot_of(user: User) -> KeySlot | None:
    return user.present_slots.filter(kind=KeySlot.Kind.RECOVERY_CODE).first()


@sensitive_variables()
def make_recovery_code(*, keyring: Keyring) -> NewCode:
    """Make a recovery code and its slot; an earlier code stops working.

    Raises DoesNotOpen if the keys were replaced, or are to be, meanwhile.
    """
    user = keyring.user
    require_own_keys(keyring)
    new_code = NewCode.new()
    slot = keyring.recovery_slot(new_code)
    with changing_keys(Event.RECOVERY_CODE_MADE, user) as change:
        change.require_version(keyring.version)
        replace_slot(slot)
    tell_code_made(user)
    return new_code


@sensitive_variables()
def confirm_recovery_code(*, keyring: Keyring, first: str, second: str) -> bool:
    """Return whether the two groups typed back are right, and remember that they were."""
    slot = recovery_slot_of(keyring.user)
    if slot is None or not keyring.confirms(slot, first, second):
        return False
    try:
        require_own_keys(keyring)
    except DoesNotOpen:
        return False
    with changing_keys(Event.RECOVERY_CODE_CONFIRMED, keyring.user):
        KeySlot.objects.filter(pk=slot.pk).update(confirmed_at=timezone.now())
    return True


@sensitive_variables()
def is_own_code(user: User, code: str) -> bool:
    """Whether this is the person's recovery code, and not a one-time code of the organisation."""
    try:
        require_own_keys(open_with_recovery_code(recovery_slot_of(user), code))
    except DoesNotOpen:
        return False
    return True


def record_working_code(*, user: User) -> None:
    """Remember that the person still has their code: they typed all of it, and it is right."""
    with changing_keys(Event.RECOVERY_CODE_TESTED, user):
        codes = user.present_slots.filter(kind=KeySlot.Kind.RECOVERY_CODE)
        codes.update(confirmed_at=timezone.now())


@sensitive_variables()
def recover(*, user: User, code: str, new_password: str) -> tuple[Keyring, NewCode]:
    """Set a new password by the recovery code, which is used up: a new one takes its place.

    Both at once, so that at no moment the account has only one way in. Every other session ends.
    Raises DoesNotOpen if the code is not this person's, or was used meanwhile.
    """
    used = recovery_slot_of(user)
    if used is None:
        raise DoesNotOpen
    keyring = open_with_recovery_code(used, code)
    require_own_keys(keyring)
    new_code = NewCode.new()
    recovery_slot = keyring.recovery_slot(new_code)
    password_slot = keyring.password_slot(new_password)
    user.set_password(new_password)
    with changing_keys(Event.ACCOUNT_RECOVERED, user) as change:
        change.require_version(keyring.version)
        if not KeySlot.objects.filter(pk=used.pk).exists():
            raise DoesNotOpen
        replace_password_slot(user, password_slot)
        replace_slot(recovery_slot)
        end_unlocks(user)
        stopped = stop_waiting(user)
    record_stopped(user, stopped)
    tell_recovered(user)
    return keyring, new_code
