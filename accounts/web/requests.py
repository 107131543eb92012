"""Requests whose person is known, for the views behind `signed_in` and `unlocked`."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.custody import Keyring
from accounts.models import User
from accounts.web.unlocking import keyring_of


class PersonRequest(HttpRequest):
    """What a view gets behind `signed_in`; only the type checker makes a difference."""

    user: User


def is_our_address(request: HttpRequest, address: str) -> bool:
    """Whether somebody may be led to an address that the request names: one of our own pages.

    With a path from the root: `redirect()` takes anything else for the name of a view.
    """
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    return ours and urlsplit(address).path.startswith("/")


def open_keys(request: HttpRequest) -> Keyring:
    """Return the open keys of the person, in a view behind `unlocked`.

    Raises RuntimeError where a view lacks it: that is our fault and no person's.
    """
    keyring = keyring_of(request)
    if keyring is None:
        raise RuntimeError("this view is not behind `unlocked`")
    return keyring
