"""In how many independent ways a person gets back to their keys."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import KeySlot, User
from accounts.organisation import pin as organisation

WAYS = {
    KeySlot.Kind.PASSWORD: _("your password"),
    KeySlot.Kind.RECOVERY_CODE: _("your recovery code"),
    KeySlot.Kind.ORGANISATION: _("your organisation's recovery key"),
}


NO_WAY = _("You have no way back to your images right now. Bring your keys back first.")
ONLY_WAY = {
    KeySlot.Kind.PASSWORD: _(
        "Only your password opens your images. If you forget it, they are lost. Save a recovery "
        "code."
    ),
    KeySlot.Kind.RECOVERY_CODE: _(
        "Only your recovery code opens your images. Keep it safe, and bring your keys back so that "
        "your password opens them too."
    ),
    KeySlot.Kind.ORGANISATION: _(
        "Only your organisation can give you a way back. Bring your keys back first, or ask staff "
        "to recover your account."
    ),
}


@dataclass(frozen=True)
class Recoverability:
    """The ways in. None of them can be removed, only replaced: so the last never goes."""

    kinds: list[KeySlot.Kind]

    @property
    def ways(self) -> list[str]:
        return [str(WAYS[kind]) for kind in self.kinds]

    @property
    def warning(self) -> str:
        """What is said where the ways are too few."""
        return str(ONLY_WAY[self.kinds[0]] if self.kinds else NO_WAY)

    @property
    def is_thin(self) -> bool:
        """Whether forgetting one thing loses everything."""
        return len(self.kinds) < 2


def recoverability_of(person: User, *, password_opens: bool = True) -> Recoverability:
    """Return the ways there are. `password_opens`: it was not set elsewhere, to sign in only."""
    kinds = set(person.present_slots.values_list("kind", flat=True))
    if not password_opens:
        kinds.discard(KeySlot.Kind.PASSWORD.value)
    if not organisation.is_set_up():  # its slots stay when the key is unpinned, and recover nobody
        kinds.discard(KeySlot.Kind.ORGANISATION.value)
    return Recoverability([kind for kind in WAYS if kind.value in kinds])
