"""What waits for a person is done where their keys happen to be open."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.custody import Keyring
from accounts.services.rotating.carrying_out import carry_out_orders
from accounts.web.unlocking import open_keyring_of
from audit.events import alarm

Next = Callable[[HttpRequest], HttpResponse]


class AfterUnlockedPages(ABC):
    """Does a piece of work after a page that had somebody's keys open, or opened them.

    Never at an address that serves bytes: sixty thumbnails come at once. After the page, because
    nothing about the page depends on it. The work costs one query where there is none.
    """

    what: str

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        keyring, match = open_keyring_of(request), request.resolver_match
        if keyring is None or match is None or getattr(match.func, "serves_bytes", False):
            return response
        # No page fails because of this, whatever it is: the next one tries again.
        try:
            self.work(keyring)
        except Exception as error:  # the alarm names it; its text may hold what no log should
            person, name = keyring.user.pk, type(error).__name__
            alarm.error("%s of %s were not carried out (%s).", self.what, person, name)
        return response

    @abstractmethod
    def work(self, keyring: Keyring) -> None:
        """Do a piece of it. Raises what is busy or away."""


class RotationMiddleware(AfterUnlockedPages):
    """Carries out a person's orders for new keys."""

    what = "Orders"

    def work(self, keyring: Keyring) -> None:
        carry_out_orders(keyring)
