"""The two files of a recovery by the organisation: the request and the answer.

Pure: no Django, no settings, no clock, no disk, so that it runs on a machine that holds nothing
but the organisation's private key (docs/format.md, "Recovery by the organisation").
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from uuid import UUID

from Crypto.PublicKey.RSA import RsaKey

from cryptocore import canonical, keypair, recovery_code
from cryptocore.context import context
from cryptocore.errors import CryptoError
from cryptocore.kdf import derive_key
from cryptocore.keywrap import wrap_key
from cryptocore.wrapping import unwrap

MAX_BYTES = 8192
SALT_BYTES = 16
BRANCH_BYTES = 32
Paper = TypeVar("Paper", bound="Request | Answer")


def slot_label(instance: UUID, person: UUID, slot: UUID, version: int, fingerprint: str) -> bytes:
    """The OAEP label of a slot: it opens for this person, slot and key, and nowhere else."""
    purpose = "key-slot/organisation"
    return context(purpose, instance, person, slot, version, bytes.fromhex(fingerprint))


@dataclass(frozen=True)
class Request:
    """What leaves the installation: one person's slot, which only the offline key opens."""

    instance: UUID
    person: UUID
    username: str
    slot: UUID
    version: int
    organisation_key: str
    wrapped: bytes = field(repr=False)
    answer: UUID  # the id the answer has to have; the trail knows it

    def encode(self) -> bytes:
        return _encode("recovery-request", self)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the request in `data`. Raises CryptoError if it is none."""
        return _parse(cls, "recovery-request", data)


@dataclass(frozen=True)
class Answer:
    """What comes back: the opening branch of that person's master key, under a one-time code."""

    instance: UUID
    person: UUID
    version: int
    answer: UUID
    salt: bytes
    wrapped: bytes = field(repr=False)

    def encode(self) -> bytes:
        return _encode("recovery-answer", self)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the answer in `data`. Raises CryptoError if it is none."""
        return _parse(cls, "recovery-answer", data)


def answer_kek(code: str, salt: bytes, *, person: UUID, answer: UUID, version: int) -> bytes:
    """Return what a one-time code (30 symbols, normalised) makes of itself for one answer."""
    info = context("key-slot/answer", person, answer, version)
    return derive_key(code.encode("ascii"), info, salt=salt)


def open_request(request: Request, private_key: RsaKey) -> tuple[Answer, str]:
    """Return the answer and its one-time code. Raises CryptoError if this key does not open it."""
    if keypair.fingerprint(keypair.public_der(private_key)) != request.organisation_key:
        raise CryptoError
    person, version = request.person, request.version
    label = slot_label(request.instance, person, request.slot, version, request.organisation_key)
    branch = unwrap(request.wrapped, private_key, label=label)
    # Anybody who can write to the database can wrap anything to a public key.
    if len(branch) != BRANCH_BYTES:
        raise CryptoError
    code, salt = recovery_code.new_code(), secrets.token_bytes(SALT_BYTES)
    kek = answer_kek(code, salt, person=person, answer=request.answer, version=version)
    wrapped = wrap_key(branch, kek)
    return Answer(request.instance, person, version, request.answer, salt, wrapped), code


# ---- canonical JSON: UUIDs as text, bytes in hex ---------------------------------------------


def _encode(kind: str, row: Request | Answer) -> bytes:
    body = {name: _as_json(getattr(row, name)) for name in row.__dataclass_fields__}
    return canonical.encode({"kind": kind, **body}, max_bytes=MAX_BYTES)


def _as_json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def _parse(cls: type[Paper], kind: str, data: bytes) -> Paper:
    body = canonical.decode(data, max_bytes=MAX_BYTES)
    fields = cls.__dataclass_fields__
    try:
        if body.keys() != {"kind", *fields} or body["kind"] != kind:
            raise CryptoError
        row = cls(**{name: _from_json(one.type, body[name]) for name, one in fields.items()})
    except (ValueError, TypeError, AttributeError):
        raise CryptoError from None
    # A UUID and hex have spellings that we would not write.
    if row.encode() != data:
        raise CryptoError
    return row


def _from_json(wanted: Any, value: Any) -> Any:
    if wanted is UUID:
        return UUID(value)
    if wanted is bytes:
        return bytes.fromhex(value)
    if type(value) is not wanted:
        raise ValueError("of another type")
    return value
