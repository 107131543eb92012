"""Private keys of an earlier master key, wrapped under the current one."""

from contextlib import suppress

from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring, OpeningKeys
from accounts.models import KeyPair
from cryptocore.errors import CryptoError


def pairs_under(earlier: OpeningKeys) -> list[KeyPair]:
    """Return the pairs that open content under an earlier master key."""
    pairs = KeyPair.objects.filter(
        user=earlier.user,
        purpose=KeyPair.Purpose.ENCRYPTION,
        master_key_version=earlier.version,
    )
    return list(pairs.exclude(wrapped_private_key=None))


@sensitive_variables()
def taken_over(*, keyring: Keyring, earlier: OpeningKeys) -> list[KeyPair]:
    """Return the pairs that open, wrapped under the current master key; not stored yet.

    One that is damaged stays where it is, and so must the ways to it: it may be repaired from a
    backup, and must not keep that person out of all the others.
    """
    opening = []
    for pair in pairs_under(earlier):
        with suppress(CryptoError):
            keyring.take_over(pair, earlier)
            opening.append(pair)
    return opening
