"""The organisation's slot: made once the person knows of it, moved when its key is replaced."""

from contextlib import suppress
from enum import Enum, auto

from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring
from accounts.models import KeySlot, User
from accounts.organisation import pin as organisation
from accounts.services.deserving import require_own_keys
from accounts.services.holding import changing_keys
from accounts.services.ways_back.passwords import replace_slot
from audit.events import Event, Outcome, record


class News(Enum):
    """What to show a person after an unlock."""

    ANNOUNCED = auto()
    MADE = auto()
    MOVED = auto()


def organisation_slot_of(user: User) -> KeySlot | None:
    return user.present_slots.filter(kind=KeySlot.Kind.ORGANISATION).first()


def organisation_recovers(user: User) -> bool:
    """Whether the organisation can recover this person: its key is pinned, and has a slot here."""
    return organisation.is_set_up() and organisation_slot_of(user) is not None


def answer_slot_of(user: User) -> KeySlot | None:
    return user.present_slots.filter(kind=KeySlot.Kind.ANSWER, ends_at__gt=timezone.now()).first()


@sensitive_variables()
def keep_organisation_slot(*, keyring: Keyring) -> News | None:
    """Make or move the organisation's slot of somebody who was notified; notify the others.

    Called at every unlock. A public key that is not the pinned one is refused, which is recorded;
    the unlock goes on, because it is the person's own.
    """
    if not organisation.is_set_up():
        return None
    slot = organisation_slot_of(keyring.user)
    if slot is None and keyring.user.organisation_told_at is None:
        tell(keyring.user)
        return News.ANNOUNCED
    if slot and slot.organisation_key == settings.RECOVERY_KEY_FINGERPRINT:
        return None
    if not _make(keyring):
        return None
    return News.MOVED if slot else News.MADE


def tell(user: User) -> None:
    """Remember that this person was notified; from the next unlock on the slot is there."""
    user.organisation_told_at = timezone.now()
    User.objects.filter(pk=user.pk).update(organisation_told_at=user.organisation_told_at)


@sensitive_variables()
def _make(keyring: Keyring) -> bool:
    user = keyring.user
    try:
        fingerprint, public_key = organisation.public_key()
    except organisation.NotTheKey:
        event, refused = Event.ORGANISATION_SLOT_MADE, Outcome.REFUSED
        record(event, actor=user.pk, subject=user.pk, outcome=refused, reason="not-the-pinned-key")
        return False
    slot = keyring.organisation_slot(public_key, fingerprint)
    with suppress(DoesNotOpen):
        require_own_keys(keyring)
        made = Event.ORGANISATION_SLOT_MADE
        with changing_keys(made, user, organisation_key=fingerprint) as change:
            # A new master key meanwhile: the next unlock makes a slot for that one.
            if change.person.master_key_version != slot.master_key_version:
                raise DoesNotOpen
            replace_slot(slot)
        return True
    return False
