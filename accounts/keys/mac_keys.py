"""MAC keys: 32 random bytes per person and epoch, wrapped under the notice key of the key file.

The server must be able to write a notice while its recipient is away, so it holds this key: a
notice's MAC shows changes by somebody who has the database but not the key file, and promises no
more.
"""

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.models import MacKey, User
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key, wrap_key
from cryptocore.mac import new_mac_key


@sensitive_variables()
def new_mac_key_row(user: User, epoch: int) -> MacKey:
    """Return a new MAC key, not stored yet."""
    notice_key_id, notice_key = settings.SERVER_KEYS.notice.newest
    row = MacKey(user=user, epoch=epoch, notice_key_id=notice_key_id)
    row.wrapped_key = wrap_key(new_mac_key(), _kek(notice_key, row))
    return row


@sensitive_variables()
def notice_mac_key(row: MacKey) -> bytes:
    """Return the subkey that MACs notices (32 bytes). Raises CryptoError if it does not open.

    Webhooks will have a subkey of their own: a tag made for one means nothing to the other.
    """
    return derive_key(_opened(row), context("notices", row.user_id, row.epoch))


@sensitive_variables()
def rewrap(row: MacKey) -> None:
    """Wrap the same MAC key under the newest notice key; not stored yet. Raises CryptoError."""
    mac_key = _opened(row)
    row.notice_key_id, notice_key = settings.SERVER_KEYS.notice.newest
    row.wrapped_key = wrap_key(mac_key, _kek(notice_key, row))


@sensitive_variables()
def _opened(row: MacKey) -> bytes:
    try:
        notice_key = settings.SERVER_KEYS.notice.get(row.notice_key_id)
    except KeyError:
        raise CryptoError from None
    return unwrap_key(bytes(row.wrapped_key), _kek(notice_key, row))


@sensitive_variables()
def _kek(notice_key: bytes, row: MacKey) -> bytes:
    return derive_key(notice_key, context("mac-key", row.user_id, row.epoch))
