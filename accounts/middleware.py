"""Orders for new keys are carried out where their person's keys happen to be open."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.custody import Keyring
from accounts.services.rotation import carry_out_orders
from accounts.unlocking import open_keyring_of
from audit.events import alarm

Next = Callable[[HttpRequest], HttpResponse]


class RotationMiddleware:
    """Does a piece of a person's orders after a page that had their keys open, or opened them.

    Never at an address that serves bytes: sixty thumbnails come at once. After the page, because
    nothing about the page depends on it. Costs one query where nothing is ordered.
    """

    work = staticmethod(carry_out_orders)

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        keyring = open_keyring_of(request)
        if keyring and not _serves_bytes(request):
            self._do(keyring)
        return response

    def _do(self, keyring: Keyring) -> None:
        """No page fails because of this, whatever it is: the next one tries again."""
        try:
            self.work(keyring)
        except Exception as error:  # the alarm names it; its text may hold what no log should
            name, kind = self.work.__name__, type(error).__name__
            alarm.error("%s failed for %s (%s).", name, keyring.user.pk, kind)


def _serves_bytes(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is None or getattr(match.func, "serves_bytes", False)
