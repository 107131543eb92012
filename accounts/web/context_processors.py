"""What every page knows about the person it is shown to."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.organisation import pin as organisation
from accounts.policy import everybody_may_register
from accounts.services.organisation.slots import organisation_slot_of
from accounts.services.ways_back.new_start import waiting_new_start
from accounts.services.ways_back.recovery import recovery_slot_of
from accounts.web.unlocking import keyring_of


def account(request: HttpRequest) -> dict[str, Any]:
    if not (hasattr(request, "user") and request.user.is_authenticated):
        return {
            "unlocked": False,
            "recovery_reminder": False,
            "registration_open": everybody_may_register(),
            "organisation_recovers": organisation.is_set_up(),
        }
    user = request.user
    return {
        "unlocked": keyring_of(request) is not None,
        "organisation_recovers": organisation.is_set_up(),
        "organisation_slot": SimpleLazyObject(lambda: organisation_slot_of(user)),
        "recovery_reminder": SimpleLazyObject(lambda: _reminder(user)),
        "new_start_waits": SimpleLazyObject(lambda: waiting_new_start(user)),
    }


def _reminder(user: User) -> bool:
    slot = recovery_slot_of(user)
    return slot is None or slot.confirmed_at is None
