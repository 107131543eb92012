"""A password's key derivation made as costly as the settings ask by now.

Only possible while the password is there: at sign-in and at unlocking. Django does the same with
the hash beside it.
"""

from django.conf import settings
from django.db import DatabaseError
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring, password_slot_of
from accounts.models import KeySlot
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.ways_back.passwords import replace_slot
from accounts.turns import Busy
from audit.events import AuditUnavailable, Event, alarm


class SlotGone(Exception):
    """The password was changed meanwhile: its new slot is as costly as it should be."""


@sensitive_variables()
def raise_cost(keyring: Keyring, password: str) -> None:
    """Replace the slot that `password` has just opened, if it is cheaper than the settings.

    If a part is busy or unavailable people still sign in: the next sign-in does it.
    """
    slot = password_slot_of(keyring.user)
    if slot is None:
        return
    time_cost, memory_kib = slot.time_cost or 0, slot.memory_kib or 0
    if time_cost >= settings.KDF_TIME_COST and memory_kib >= settings.KDF_MEMORY_KIB:
        return
    try:
        require_own_keys(keyring)
        _replace(slot, keyring.password_slot(password))
    except (SlotGone, DoesNotOpen):
        return
    except (Busy, DatabaseError, AuditUnavailable) as error:
        alarm.error("For now a key slot stays as cheap as it was (%s).", type(error).__name__)


def _replace(old: KeySlot, new: KeySlot) -> None:
    with changing_keys(
        Event.KEYS_COST_RAISED,
        new.user,
        time_cost=settings.KDF_TIME_COST,
        memory_kib=settings.KDF_MEMORY_KIB,
    ):
        if not KeySlot.objects.filter(pk=old.pk).exists():
            raise SlotGone
        replace_slot(new)
