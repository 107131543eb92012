"""Answers whose time is over: refused, but with a copy of the row the code would still open it."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.erasure import truncate_write_ahead_log
from accounts.keysets import keyset_digest
from accounts.models import KeySlot, User
from audit.events import Event, recorded


def ended_answers() -> QuerySet[KeySlot]:
    """The answers whose time is over, those to earlier master keys among them."""
    return KeySlot.objects.filter(kind=KeySlot.Kind.ANSWER, ends_at__lte=timezone.now())


def destroy_ended_answers(*, user: User | None = None) -> int:
    """Destroy this person's ended answers, or everybody's; return how many there were."""
    ended = list(ended_answers().filter(user=user) if user else ended_answers())
    for slot in ended:
        _destroy(slot)
    if ended:
        truncate_write_ahead_log()
    return len(ended)


def _destroy(slot: KeySlot) -> None:
    event, known = Event.ORGANISATION_ANSWER_DESTROYED, {"answer": str(slot.pk)}
    with recorded(event, actor=None, subject=slot.user_id, **known) as facts, transaction.atomic():
        User.objects.select_for_update().get(pk=slot.user_id)
        KeySlot.objects.filter(pk=slot.pk).delete()
        facts["keyset"] = keyset_digest(slot.user_id)
