"""Orders for new keys, and who carries one out: one process at a time, for as long as its lease.

A claim is one conditional update, and whatever is done under it is stored only while it holds. So
a process that died, or came to a standstill, lets go by itself and undoes nothing of another's.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import KeyOrder, User

LEASE = timedelta(minutes=2)
# An order that failed for a reason which the next page will not mend waits that long.
PAUSE = timedelta(hours=1)
Reason = KeyOrder.Reason


class LeaseLost(Exception):
    """Somebody else carries this order out, or it is done. Nothing of this try is stored."""


def open_orders_of(user: User) -> QuerySet[KeyOrder]:
    return KeyOrder.objects.filter(user=user, done_at=None)


def orders_to_carry_out(user: User) -> QuerySet[KeyOrder]:
    """Return what may be done unasked, signing first: that key certifies the others.

    After a theft nothing may: first the person proves who they are
    (services/rotating/replacing.py).
    """
    orders = open_orders_of(user).exclude(reason=Reason.COMPROMISED).select_related("user")
    return orders.order_by("-purpose")


def stolen_order_of(user: User) -> KeyOrder | None:
    """The open order to replace everything. While there is one, a password alone is no proof."""
    return open_orders_of(user).filter(reason=Reason.COMPROMISED).first()


def claim(order: KeyOrder) -> bool:
    """Take the order's lease, unless somebody holds it."""
    now = timezone.now()
    free = Q(lease_ends_at=None) | Q(lease_ends_at__lte=now)
    order.lease_ends_at = now + LEASE
    unclaimed = KeyOrder.objects.filter(free, pk=order.pk, done_at=None)
    return unclaimed.update(lease_ends_at=order.lease_ends_at) == 1


def release(order: KeyOrder) -> None:
    """Let the next request go on at once. Of an order that is not ours any more: nothing."""
    _held(order).update(lease_ends_at=None)


def pause(order: KeyOrder) -> None:
    """Let nobody try for a while."""
    _held(order).update(lease_ends_at=timezone.now() + PAUSE)


def save_progress(order: KeyOrder, **columns: Any) -> None:
    """Write down how far the order came. Raises LeaseLost, so that a transaction rolls back."""
    if not _held(order).update(**columns):
        raise LeaseLost
    for name, value in columns.items():
        setattr(order, name, value)


def _held(order: KeyOrder) -> QuerySet[KeyOrder]:
    return KeyOrder.objects.filter(pk=order.pk, done_at=None, lease_ends_at=order.lease_ends_at)
