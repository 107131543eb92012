"""A content key wrapped to one person's key, and what it is bound to.

Here rather than in gallery because rotation wraps them again, and knows nothing of images.
"""

import uuid

from Crypto.PublicKey.RSA import RsaKey
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from accounts.models import KeyPair, WrappedKey
from cryptocore.context import context
from cryptocore.wrapping import wrap


@sensitive_variables()
def wrap_content_key(
    content_key: bytes, pair: KeyPair, public_key: RsaKey, *, subject: uuid.UUID, lock: int
) -> WrappedKey:
    """Return the content key wrapped to a person's key: not stored yet."""
    label = content_key_label(pair, subject=subject, lock=lock)
    oaep_bytes = wrap(content_key, public_key, label=label)
    return WrappedKey(key_pair=pair, subject=subject, lock=lock, oaep_bytes=oaep_bytes)


def content_key_label(pair: KeyPair, *, subject: uuid.UUID, lock: int) -> bytes:
    """The OAEP label: a key wrapped for one image, reader, lock and key opens nowhere else."""
    return context(
        "content-key",
        settings.SERVER_KEYS.instance_id,
        subject,
        pair.user_id,
        lock,
        bytes.fromhex(pair.fingerprint),
    )
