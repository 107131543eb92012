"""What images need is done where their people's keys happen to be open."""

from accounts.custody import Keyring
from accounts.web.middleware import AfterUnlockedPages
from gallery.services.circles.ended import rekey_ended
from gallery.services.ended import relock_ended
from gallery.services.keeping import delete_due, due_images
from gallery.services.own_keys import look_over_own_keys
from gallery.services.reminding import IMAGES_AT_ONCE, due_reminders_of, remind
from gallery.services.successors import keep_for_successors


class DatesMiddleware(AfterUnlockedPages):
    """Deletes a person's images whose date has come; reminds them, and those on the other side, of
    access that ends soon."""

    what = "Dates"

    def work(self, keyring: Keyring) -> None:
        due = due_images().filter(owner=keyring.user)
        soon = due_reminders_of(keyring.user)
        if due.values_list("pk").union(soon.values_list("pk")).exists():
            delete_due(due)
            remind(soon, at_most=IMAGES_AT_ONCE)


class RelockingMiddleware(AfterUnlockedPages):
    """Re-locks images whose readers' time is over."""

    what = "New locks"

    def work(self, keyring: Keyring) -> None:
        relock_ended(keyring)


class AlbumsMiddleware(AfterUnlockedPages):
    """Gives albums their next key, and images of theirs to albums that wait for them."""

    what = "Keys of albums"

    def work(self, keyring: Keyring) -> None:
        rekey_ended(keyring)


class SuccessorsMiddleware(AfterUnlockedPages):
    """Gives the successors whom a person named the keys of new images, and of new locks."""

    what = "Keys for successors"

    def work(self, keyring: Keyring) -> None:
        keep_for_successors(keyring)


class OwnKeysMiddleware(AfterUnlockedPages):
    """Looks at a few of the person's own wrapped keys."""

    what = "Looks at wrapped keys"

    def work(self, keyring: Keyring) -> None:
        look_over_own_keys(keyring)
