"""Who somebody is: by password, by what opens their keys, or by recovery code.

accounts/web/guessing.py limits the tries.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.db.models import F
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import (
    DoesNotOpen,
    Keyring,
    OpeningKeys,
    open_password_slot,
    open_with_answer,
    open_with_recovery_code,
    password_slot_of,
)
from accounts.keys.orders import stolen_order_of
from accounts.models import KeySlot, User
from cryptocore.errors import CryptoError


class PasswordBackend(ModelBackend):
    """Django's own; an unknown name costs one hash too, so that the time it takes reveals
    nothing."""


OPEN_WITH_A_CODE: dict[str, Callable[[KeySlot, str], OpeningKeys]] = {
    KeySlot.Kind.RECOVERY_CODE: open_with_recovery_code,
    KeySlot.Kind.ANSWER: open_with_answer,
}


class RecoveryCodeBackend(BaseBackend):
    """By a recovery code, or by the one-time code of an answer of the organisation."""

    @sensitive_variables()
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        recovery_code: str | None = None,
        **credentials: Any,
    ) -> User | None:
        if username is None or recovery_code is None:
            return None
        slots = KeySlot.objects.filter(
            user__username=usernames.fold(username),
            user__is_active=True,
            master_key_version=F("user__master_key_version"),
            kind__in=OPEN_WITH_A_CODE,
        )
        for slot in slots:
            with suppress(DoesNotOpen):
                return OPEN_WITH_A_CODE[slot.kind](slot, recovery_code).user
        return None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


class KeySlotBackend(BaseBackend):
    """By the password that opens the person's keys, whatever password was set since.

    A mailbox, or staff at a shell, can set the hash and nothing else: a password that opens the
    keys is the stronger proof (docs/decisions/0041). After an order because of a theft it is none.
    """

    @sensitive_variables()
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.filter(username=usernames.fold(username), is_active=True).first()
        slot = password_slot_of(user) if user and not stolen_order_of(user) else None
        with suppress(DoesNotOpen, CryptoError):
            if slot:
                return open_password_slot(slot, password).user
            # As much work as opening one: time must not show who has an account, or keys.
            Keyring.new(User()).password_slot(password)
        return None
