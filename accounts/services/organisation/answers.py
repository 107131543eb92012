"""Answers whose time is over: refused, but with a copy of the row the code would still open it."""

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import KeySlot, User
from accounts.services.holding import changing_keys
from audit.events import Event


def ended_answers() -> QuerySet[KeySlot]:
    """The answers whose time is over, those to earlier master keys among them."""
    return KeySlot.objects.filter(kind=KeySlot.Kind.ANSWER, ends_at__lte=timezone.now())


def destroy_ended_answers(*, user: User | None = None) -> int:
    """Destroy this person's ended answers, or everybody's; return how many there were."""
    ended = ended_answers().select_related("user")
    slots = list(ended.filter(user=user) if user else ended)
    for slot in slots:
        event, known = Event.ORGANISATION_ANSWER_DESTROYED, {"answer": str(slot.pk)}
        with changing_keys(event, slot.user, by_its_person=False, **known):
            KeySlot.objects.filter(pk=slot.pk).delete()
    return len(slots)
