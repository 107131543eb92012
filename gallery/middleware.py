"""What gallery does where a person's keys happen to be open."""

from accounts.middleware import RotationMiddleware
from gallery.services.own_keys import look_over_own_keys


class OwnKeysMiddleware(RotationMiddleware):
    """Looks at a few of the person's own wrapped keys after a page, as orders are carried out."""

    work = staticmethod(look_over_own_keys)
