"""Who somebody is: by password, or by recovery code. accounts/guessing.py limits the tries."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.db.models import F
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import DoesNotOpen, Keyring, open_with_answer, open_with_recovery_code
from accounts.models import KeySlot, User


class PasswordBackend(ModelBackend):
    """Django's own; an unknown name costs one hash too, so that time does not tell."""


OPEN_WITH_A_CODE: dict[str, Callable[[KeySlot, str], Keyring]] = {
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
