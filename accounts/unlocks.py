"""Unlocks that end: rows that hold a master key under the secret of somebody's cookie.

Services end them; who is unlocked now is a matter of the request (unlocking.py).
"""

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.erasure import truncate_write_ahead_log
from accounts.models import Custody, User


def ended_unlocks() -> QuerySet[Custody]:
    """The rows whose time is over, of anybody."""
    now = timezone.now()
    return Custody.objects.filter(Q(idle_ends_at__lte=now) | Q(absolute_ends_at__lte=now))


def drop_ended() -> int:
    """Destroy what would open with a cookie though its time is over: everybody's ended rows, and
    the unlock keys of ended sessions. Return how many rows there were.

    At every unlock and at least once a minute while anybody is unlocked; `purge` and a start do it
    too. Raises UnlockKeysAway (imageshare/unlockkeys.py). Never inside a transaction.
    """
    dropped = ended_unlocks().delete()[0]
    settings.UNLOCK_KEYS.destroy_old()
    if dropped:
        truncate_write_ahead_log()
    return dropped


def end_unlocks(user: User) -> None:
    """Lock `user` everywhere: after a new password, a recovery, a disabling."""
    Custody.objects.filter(user=user).delete()
