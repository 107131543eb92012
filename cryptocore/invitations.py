"""Invitations: what is shared with somebody before they have keys (docs/format.md, "Invitations").

An *invitation key*, 32 random bytes, wraps the content keys that it carries. The key itself is
wrapped under the secret of a link, and a spoken code where there is one; and, as any content key,
to its inviter.
"""

import hashlib
import hmac
import secrets
import unicodedata
from uuid import UUID

from cryptocore import content
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import unwrap_key, wrap_key

KEY_BYTES = 32
LINK_BYTES = 32
LEAST_CODE_CHARACTERS = 6


def new_invitation_key() -> bytes:
    """Return 32 random bytes: one per invitation."""
    return secrets.token_bytes(KEY_BYTES)


# ---- the link, and the spoken code -----------------------------------------------------------


def new_link_secret() -> bytes:
    """Return 32 random bytes, which only the link holds."""
    return secrets.token_bytes(LINK_BYTES)


def link_digest(link_secret: bytes) -> str:
    """Return SHA-256(context("invitation-token") | secret) in hex: by it a link is found.

    Raises CryptoError if the secret is not 32 bytes.
    """
    _require(link_secret, LINK_BYTES)
    return hashlib.sha256(context("invitation-token") + link_secret).hexdigest()


def normalise_code(code: str) -> str:
    """Return what of a spoken code counts: not its case, and not its spaces. Then NFC, as what one
    keyboard types in two ways is one code."""
    letters = "".join(unicodedata.normalize("NFC", code).casefold().split())
    return unicodedata.normalize("NFC", letters)


def wrap_invitation_key(
    key: bytes,
    link_secret: bytes,
    code_key: bytes | None,
    *,
    instance: UUID,
    invitation: UUID,
    person: UUID,
) -> bytes:
    """Return an invitation's key under its link, and under what Argon2id made of its spoken code,
    if there is one: AES-256-KWP, 40 bytes."""
    _require(key, KEY_BYTES)
    return wrap_key(key, _link_kek(link_secret, code_key, instance, invitation, person))


def unwrap_invitation_key(
    wrapped: bytes,
    link_secret: bytes,
    code_key: bytes | None,
    *,
    instance: UUID,
    invitation: UUID,
    person: UUID,
) -> bytes:
    """Return the invitation's key; raise CryptoError if this link, with this code, did not wrap it
    here. Its commitment decides whether it is the invitation's."""
    return unwrap_key(wrapped, _link_kek(link_secret, code_key, instance, invitation, person))


def commitment(key: bytes, *, invitation: UUID, person: UUID) -> bytes:
    """Return the 32 bytes by which the audit trail vouches for an invitation's key.

    Raises CryptoError if the key is not 32 bytes.
    """
    _require(key, KEY_BYTES)
    return derive_key(key, context("invitation-commitment", invitation, person))


def check_commitment(key: bytes, recorded: bytes, *, invitation: UUID, person: UUID) -> None:
    """Return if `recorded` is the key's, compared in constant time; raise CryptoError if not."""
    if not hmac.compare_digest(commitment(key, invitation=invitation, person=person), recorded):
        raise CryptoError


# ---- what it carries -------------------------------------------------------------------------


def wrap_content_key(
    content_key: bytes,
    key: bytes,
    *,
    instance: UUID,
    invitation: UUID,
    person: UUID,
    subject: UUID,
    lock: int,
) -> bytes:
    """Return the content key of an image and lock (a circle's key: of its epoch) under an
    invitation's: AES-256-KWP, 40 bytes."""
    return wrap_key(content_key, _kek(key, instance, invitation, person, subject, lock))


def unwrap_content_key(
    wrapped: bytes,
    key: bytes,
    *,
    instance: UUID,
    invitation: UUID,
    person: UUID,
    subject: UUID,
    lock: int,
) -> bytes:
    """Return the content key in `wrapped`; raise CryptoError if this invitation's key did not wrap
    it for this subject and lock. Its commitment decides whether it is the image's."""
    return unwrap_key(wrapped, _kek(key, instance, invitation, person, subject, lock))


def encrypt_details(plaintext: bytes, key: bytes, *, instance: UUID, invitation: UUID) -> bytes:
    """Return the name and address of whom an invitation is for, encrypted as a rendition is."""
    return content.encrypt(plaintext, _details_key(key, instance, invitation))


def decrypt_details(stored: bytes, key: bytes, *, instance: UUID, invitation: UUID) -> bytes:
    """Return what encrypt_details() was given. Only call it on bytes whose recorded digest was
    verified (content.decrypt_chunks() says why). Raises CryptoError."""
    return content.decrypt(stored, _details_key(key, instance, invitation))


def _link_kek(
    link_secret: bytes, code_key: bytes | None, instance: UUID, invitation: UUID, person: UUID
) -> bytes:
    """Both parts have one length each, so no link is another link with a code."""
    _require(link_secret, LINK_BYTES)
    if code_key is not None:
        _require(code_key, KEY_BYTES)
    return derive_key(
        link_secret + (code_key or b""), context("invitation", instance, invitation, person)
    )


def _kek(
    key: bytes, instance: UUID, invitation: UUID, person: UUID, subject: UUID, lock: int
) -> bytes:
    _require(key, KEY_BYTES)
    return derive_key(
        key, context("invitation-content-key", instance, invitation, person, subject, lock)
    )


def _details_key(key: bytes, instance: UUID, invitation: UUID) -> bytes:
    _require(key, KEY_BYTES)
    return derive_key(key, context("invitation-details", instance, invitation))


def _require(secret: bytes, size: int) -> None:
    # A row or a link may hold anything.
    if len(secret) != size:
        raise CryptoError
