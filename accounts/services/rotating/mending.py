"""A person's own wrapped keys: which there are, how far they were looked at, and mending one."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.custody import DoesNotOpen, Keyring
from accounts.keys.content_keys import wrap_content_key
from accounts.keys.recipients import key_to_wrap_to
from accounts.models import KeyPair, User, WrappedKey, WrappedKeyCheck
from accounts.services.acts import account_act
from audit.events import Event

EVERY = timedelta(days=30)  # from the end of one round to the beginning of the next


def own_wrapped_keys(user: User) -> QuerySet[WrappedKey]:
    """What is wrapped to pairs that the person's current master key opens."""
    return WrappedKey.objects.filter(key_pair__in=own_pairs(user))


def own_pairs(user: User) -> QuerySet[KeyPair]:
    return KeyPair.objects.filter(user=user, master_key_version=user.master_key_version)


def check_due(user: User) -> WrappedKeyCheck | None:
    """Return how far the present round came, beginning one where it is time; None between two."""
    check = WrappedKeyCheck.objects.filter(user=user).first()
    if check is None:
        return WrappedKeyCheck.objects.get_or_create(user=user)[0]
    if check.done_at is None:
        return check
    if check.done_at > timezone.now() - EVERY:
        return None
    anew = {"up_to": None, "checked": 0, "damaged": 0, "done_at": None}
    WrappedKeyCheck.objects.filter(user=user, done_at=check.done_at).update(**anew)
    return WrappedKeyCheck.objects.get(user=user)


def save_progress(
    check: WrappedKeyCheck, *, up_to: uuid.UUID | None, checked: int, damaged: int, is_done: bool
) -> None:
    """Write down how far this request came, unless another one came further meanwhile. A round in
    which there was nothing to look at has not begun."""
    if up_to is None:
        return
    now = timezone.now()
    unmoved = WrappedKeyCheck.objects.filter(user=check.user_id, up_to=check.up_to, done_at=None)
    unmoved.update(
        up_to=up_to,
        checked=check.checked + checked,
        damaged=check.damaged + damaged,
        looked_at=now,
        done_at=now if is_done else None,
    )


@sensitive_variables()
def mend(*, keyring: Keyring, wrapped: WrappedKey, content_key: bytes) -> None:
    """Wrap a content key that the quick key opened to the person's current key, in the place of a
    wrapping that does not open. On record.

    Raises NoKeys without a certified key of theirs that was not stolen, DoesNotOpen if keys or row
    changed meanwhile; then the row stays as it is.
    """
    target, public_key = key_to_wrap_to(keyring.user)
    keyring.prove(target)
    subject, lock = wrapped.subject, wrapped.lock
    anew = wrap_content_key(content_key, target, public_key, subject=subject, lock=lock)
    with (
        account_act(Event.WRAPPED_KEY_MENDED, keyring.user, image=str(wrapped.subject)),
        transaction.atomic(),
    ):
        held = User.objects.select_for_update().get(pk=keyring.user.pk)
        primary = KeyPair.objects.filter(pk=target.pk, state=KeyPair.State.PRIMARY)
        is_in_use = held.master_key_version == keyring.version and primary.exists()
        others = WrappedKey.objects.filter(~Q(pk=wrapped.pk), key_pair=target)
        there = others.filter(subject=subject, lock=lock).exists()
        row = WrappedKey.objects.filter(pk=wrapped.pk, oaep_bytes=wrapped.oaep_bytes)
        changed = {"key_pair": target, "oaep_bytes": anew.oaep_bytes}
        if not is_in_use or there or not row.update(**changed):
            raise DoesNotOpen
