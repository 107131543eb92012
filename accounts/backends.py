"""Who somebody is: by password, or by recovery code. accounts/guessing.py limits the tries."""

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.db.models import F
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts import usernames
from accounts.custody import DoesNotOpen, open_with_recovery_code
from accounts.models import KeySlot, User


class PasswordBackend(ModelBackend):
    """Django's own; an unknown name costs one hash too, so that time does not tell."""


class RecoveryCodeBackend(BaseBackend):
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
        slot = KeySlot.objects.filter(
            user__username=usernames.fold(username),
            user__is_active=True,
            master_key_version=F("user__master_key_version"),
            kind=KeySlot.Kind.RECOVERY_CODE,
        ).first()
        try:
            return open_with_recovery_code(slot, recovery_code).user
        except DoesNotOpen:
            return None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
