"""Holding a person's row while their ways in change."""

from accounts.custody import DoesNotOpen
from accounts.models import User
from accounts.services.orders import stolen_order_of


def hold_keys(user: User, *, version: int) -> User:
    """Hold the person's row, inside the caller's transaction, and return it.

    Raises DoesNotOpen where they have another master key than `version` by now, or an operator
    ordered everything to be replaced after a theft: a request under way must make no way in that
    outlives it.
    """
    held = User.objects.select_for_update().get(pk=user.pk)
    if held.master_key_version != version or stolen_order_of(held):
        raise DoesNotOpen
    return held
