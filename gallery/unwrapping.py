"""Keys that were wrapped to one person: of images, albums and teams alike.

The steps of docs/format.md, "Opening": (2) the reader's own key is certified, (6) the key opens for
this reader, (7) it is the committed one.
"""

import uuid
from collections.abc import Callable

from django.views.decorators.debug import sensitive_variables

from accounts.custody import Keyring
from accounts.keys.certificates import verified_encryption_key
from accounts.keys.content_keys import content_key_label
from accounts.models import WrappedKey
from cryptocore.errors import CryptoError
from gallery.errors import Altered, Waiting
from gallery.heads import Heads, step
from gallery.models import Invitation, Subject

IsCommitted = Callable[[bytes], bool]


class Unwrapping(Heads):
    """Unwraps keys for one reader, within one request."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__()
        self._keyring = keyring
        self._certified_pairs: set[uuid.UUID] = set()

    @property
    def reader_id(self) -> uuid.UUID:
        return self._keyring.user.pk

    # (2)
    def check_own_key(self, wrapped: WrappedKey | None) -> None:
        """Check that the reader's own key is certified as theirs. Of what waits there is none."""
        with step("own-certificate"):
            if wrapped is None or self._is_out_of_reach(wrapped):
                return
            if wrapped.key_pair_id not in self._certified_pairs:
                verified_encryption_key(wrapped.key_pair)
                self._certified_pairs.add(wrapped.key_pair_id)

    # (6), (7)
    @sensitive_variables()
    def unwrap(
        self,
        wrapped: WrappedKey | None,
        *,
        of: Subject | Invitation,
        lock: int,
        is_committed: IsCommitted,
    ) -> bytes:
        """Return the key of a lock (of a circle: an epoch) that is wrapped to this reader.

        Stores it as a quick key if only their private key opened it, so that the next time is fast.
        Raises Waiting if their keys of now do not open it, or Altered.
        """
        self.check_own_key(wrapped)  # callers that ask only for this key come straight here
        with step("wrapped-key"):
            if wrapped is None or self._is_out_of_reach(wrapped):
                raise Waiting(of.owner_id == self._keyring.user.pk)
            self._check_place(wrapped, of, lock)
        key = self._by_quick_key(wrapped) if wrapped.quick_key else None
        if key is None or not is_committed(key):
            key = self._by_private_key(wrapped)
            if not is_committed(key):
                raise Altered("commitment")
            quick_key = self._keyring.wrap_quick_key(key, subject=wrapped.subject, lock=lock)
            WrappedKey.objects.filter(pk=wrapped.pk).update(quick_key=quick_key)
        return key

    def _is_out_of_reach(self, wrapped: WrappedKey) -> bool:
        """Whether the key pair it is wrapped to is older than the reader's new start."""
        return wrapped.key_pair.master_key_version < self._keyring.version

    def _check_place(self, wrapped: WrappedKey, of: Subject | Invitation, lock: int) -> None:
        if wrapped.subject != of.pk or wrapped.lock != lock:
            raise Altered("wrapped-key")
        if wrapped.key_pair.user_id != self._keyring.user.pk:
            raise Altered("wrapped-key")

    @sensitive_variables()
    def _by_quick_key(self, wrapped: WrappedKey) -> bytes | None:
        """Return what the cache holds, or None: it is only a cache, RSA decides."""
        quick_key = bytes(wrapped.quick_key or b"")
        try:
            return self._keyring.unwrap_quick_key(
                quick_key, subject=wrapped.subject, lock=wrapped.lock
            )
        except CryptoError:
            return None

    @sensitive_variables()
    def _by_private_key(self, wrapped: WrappedKey) -> bytes:
        with step("wrapped-key"):
            label = content_key_label(wrapped.key_pair, subject=wrapped.subject, lock=wrapped.lock)
            return self._keyring.unwrap_content_key(wrapped, label=label)
