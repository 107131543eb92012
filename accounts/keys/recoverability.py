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


@dataclass(frozen=True)
class Recoverability:
    """The ways in. None of them can be removed, only replaced: so the last never goes."""

    ways: list[str]

    @property
    def is_thin(self) -> bool:
        """Whether forgetting one thing loses everything."""
        return len(self.ways) < 2


def recoverability_of(person: User, *, password_opens: bool = True) -> Recoverability:
    """Return the ways there are. `password_opens`: it was not set elsewhere, to sign in only."""
    kinds = set(person.present_slots.values_list("kind", flat=True))
    if not password_opens:
        kinds.discard(KeySlot.Kind.PASSWORD.value)
    if not organisation.is_set_up():  # its slots stay when the key is unpinned, and recover nobody
        kinds.discard(KeySlot.Kind.ORGANISATION.value)
    return Recoverability([str(words) for kind, words in WAYS.items() if kind.value in kinds])
