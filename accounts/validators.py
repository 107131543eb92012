"""What a password must not be, beyond Django's own validators."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_BYTES = 1024  # beyond this, hashing becomes a way to keep the server busy


class MaximumLengthValidator:
    def validate(self, password: str, user: object = None) -> None:
        if len(password.encode()) > MAX_BYTES:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password can be at most %(limit)s bytes long.") % {"limit": MAX_BYTES}
