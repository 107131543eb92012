"""Requests whose person is known, for the views behind `signed_in` and `unlocked`."""

from django.http import HttpRequest

from accounts.custody import Keyring
from accounts.models import User
from accounts.web.unlocking import keyring_of


class PersonRequest(HttpRequest):
    """What a view gets behind `signed_in`; only the type checker makes a difference."""

    user: User


def open_keys(request: HttpRequest) -> Keyring:
    """Return the open keys of the person, in a view behind `unlocked`.

    Raises RuntimeError where a view lacks it: that is our fault and no person's.
    """
    keyring = keyring_of(request)
    if keyring is None:
        raise RuntimeError("this view is not behind `unlocked`")
    return keyring
