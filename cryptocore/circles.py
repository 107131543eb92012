"""The key of a circle: people who share one key, as an album's or a team's do (docs/format.md,
"Circles").

It is 32 random bytes for each epoch, wrapped to each member as a content key is. It encrypts
nothing by itself: each use has a key of its own, derived from it.
"""

import hmac
import secrets
from uuid import UUID

from cryptocore import content
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key, wrap_key

CIRCLE_KEY_BYTES = 32


def new_circle_key() -> bytes:
    """Return 32 random bytes: one per circle and epoch."""
    return secrets.token_bytes(CIRCLE_KEY_BYTES)


def commitment(circle_key: bytes, *, circle: UUID, owner: UUID, epoch: int) -> bytes:
    """Return the 32 bytes that the membership statement publishes to tie a key to its circle.

    Raises CryptoError if the key is not 32 bytes.
    """
    _require_circle_key(circle_key)
    return derive_key(circle_key, context("circle-commitment", circle, owner, epoch))


def check_commitment(
    circle_key: bytes, signed: bytes, *, circle: UUID, owner: UUID, epoch: int
) -> None:
    """Return if `signed` is the key's, compared in constant time; raise CryptoError if not."""
    expected = commitment(circle_key, circle=circle, owner=owner, epoch=epoch)
    if not hmac.compare_digest(expected, signed):
        raise CryptoError


def wrap_content_key(
    content_key: bytes,
    circle_key: bytes,
    *,
    instance: UUID,
    circle: UUID,
    epoch: int,
    subject: UUID,
    lock: int,
) -> bytes:
    """Return the content key of an image and lock under a circle's key: AES-256-KWP, 40 bytes."""
    return wrap_key(content_key, _kek(circle_key, instance, circle, epoch, subject, lock))


def unwrap_content_key(
    wrapped: bytes,
    circle_key: bytes,
    *,
    instance: UUID,
    circle: UUID,
    epoch: int,
    subject: UUID,
    lock: int,
) -> bytes:
    """Return the content key in `wrapped`; raise CryptoError if this circle's key of this epoch
    did not wrap it for this image and lock. Its commitment decides whether it is the image's."""
    return unwrap_key(wrapped, _kek(circle_key, instance, circle, epoch, subject, lock))


def wrap_circle_key(
    circle_key: bytes,
    team_key: bytes,
    *,
    instance: UUID,
    team: UUID,
    team_epoch: int,
    circle: UUID,
    epoch: int,
) -> bytes:
    """Return an album's key of an epoch under the key of a team that is a member of it:
    AES-256-KWP, 40 bytes."""
    return wrap_key(circle_key, _circle_kek(team_key, instance, team, team_epoch, circle, epoch))


def unwrap_circle_key(
    wrapped: bytes,
    team_key: bytes,
    *,
    instance: UUID,
    team: UUID,
    team_epoch: int,
    circle: UUID,
    epoch: int,
) -> bytes:
    """Return the album's key in `wrapped`; raise CryptoError if this team's key of this epoch did
    not wrap it for this album and epoch. The album's commitment decides whether it is its key."""
    return unwrap_key(wrapped, _circle_kek(team_key, instance, team, team_epoch, circle, epoch))


def encrypt_details(
    plaintext: bytes, circle_key: bytes, *, instance: UUID, circle: UUID, epoch: int
) -> bytes:
    """Return a circle's title and description, encrypted as a rendition is (content.py)."""
    return content.encrypt(plaintext, _details_key(circle_key, instance, circle, epoch))


def decrypt_details(
    stored: bytes, circle_key: bytes, *, instance: UUID, circle: UUID, epoch: int
) -> bytes:
    """Return what encrypt_details() was given. Only call it on bytes whose signed length and
    digest were verified (content.decrypt_chunks() says why). Raises CryptoError."""
    return content.decrypt(stored, _details_key(circle_key, instance, circle, epoch))


def _kek(
    circle_key: bytes, instance: UUID, circle: UUID, epoch: int, subject: UUID, lock: int
) -> bytes:
    _require_circle_key(circle_key)
    return derive_key(
        circle_key, context("circle-content-key", instance, circle, epoch, subject, lock)
    )


def _circle_kek(
    team_key: bytes, instance: UUID, team: UUID, team_epoch: int, circle: UUID, epoch: int
) -> bytes:
    _require_circle_key(team_key)
    return derive_key(
        team_key, context("circle-circle-key", instance, team, team_epoch, circle, epoch)
    )


def _details_key(circle_key: bytes, instance: UUID, circle: UUID, epoch: int) -> bytes:
    _require_circle_key(circle_key)
    return derive_key(circle_key, context("circle-details", instance, circle, epoch))


def _require_circle_key(circle_key: bytes) -> None:
    # Anybody who knows a public key can wrap a secret of any length to it.
    if len(circle_key) != CIRCLE_KEY_BYTES:
        raise CryptoError
