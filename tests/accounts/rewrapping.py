"""Wrapped keys by the dozen, without as many pictures."""

import secrets
import uuid

from accounts.keys.certificates import verified_encryption_key
from accounts.keys.content_keys import wrap_content_key
from accounts.models import KeyPair, WrappedKey


def wrapped_to(pair: KeyPair, count: int) -> list[WrappedKey]:
    """Insert `count` content keys wrapped to this pair; return the rows in the order of ids."""
    public_key = verified_encryption_key(pair)
    rows = [
        wrap_content_key(secrets.token_bytes(32), pair, public_key, subject=uuid.uuid4(), lock=1)
        for _ in range(count)
    ]
    return sorted(WrappedKey.objects.bulk_create(rows), key=lambda row: row.pk)
