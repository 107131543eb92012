"""What owners' images need is done where their keys happen to be open."""

from accounts.custody import Keyring
from accounts.middleware import AfterUnlockedPages
from gallery.services.ended import relock_some


class RelockingMiddleware(AfterUnlockedPages):
    """Encrypts images anew whose readers' time is over."""

    what = "New locks"

    def work(self, keyring: Keyring) -> None:
        relock_some(keyring)
