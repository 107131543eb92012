"""The organisation's recovery key: whether there is one, and its pinned public half.

The pin is in the environment, outside the database and the data folder: otherwise somebody who can
write there could put a key of their own in its place, and have every account's opening keys wrapped
to it.
"""

from Crypto.PublicKey.RSA import RsaKey
from django.conf import settings

from accounts.organisation import offline


class NotTheKey(Exception):
    """There is no public key at its place, or it is not the pinned one. Nothing is wrapped."""


def is_set_up() -> bool:
    """Whether this organisation can recover accounts: its operator pinned a key."""
    return bool(settings.RECOVERY_KEY_FINGERPRINT)


def public_key() -> tuple[str, RsaKey]:
    """Return the fingerprint and the public half to wrap to. Raises NotTheKey, fingerprint given.

    Read and compared at every use: the file may have been swapped since the start.
    """
    try:
        fingerprint, key = offline.read_public_key(settings.RECOVERY_KEY_FILE)
    except offline.Refused as refused:
        raise NotTheKey(str(refused)) from None
    if not is_set_up() or fingerprint != settings.RECOVERY_KEY_FINGERPRINT:
        raise NotTheKey(
            f"{settings.RECOVERY_KEY_FILE} is the key {fingerprint}, which is not the one that "
            "RECOVERY_KEY_FINGERPRINT names."
        )
    return fingerprint, key
