"""Everything people sign has this form (docs/format.md, "Statements").

A body is canonical JSON, stored and verified as the exact bytes; the signature is RSA-PSS
over `imageshare/v1/<kind> | 0x00 | body`, so no kind's signature serves another.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

from cryptocore import canonical, keypair, signature
from cryptocore.context import context
from cryptocore.errors import CryptoError

SUITE = "imageshare-1"
RENDITIONS = ("original", "preview", "thumbnail", "description")
PICTURE_TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/avif",
    "image/heic",
)
DESCRIPTION_TYPE = "application/json"
MAX_ENTRIES = 501  # 500 recipients and the owner
MAX_DISPLAY_NAME = 80  # code points
BLOCK_BYTES = 16
USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,31}")
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

Check = Callable[[Any], None]


def compose(
    kind: str,
    *,
    instance: UUID,
    subject: UUID,
    sequence: int,
    previous: str | None,
    time: datetime,
    signer: UUID,
    key: str,
    **fields: Any,
) -> bytes:
    """Return the body of a statement of `kind`: canonical JSON.

    `previous` is the digest() of this signer's statement before this one about the same
    subject, None for the first; `time` is aware and loses its fraction of a second; `key` is
    the fingerprint of the signing key. Raises ValueError if parse() would refuse the result.
    """
    value = {
        "kind": kind,
        "suite": SUITE,
        "instance": str(instance),
        "subject": str(subject),
        "sequence": sequence,
        "previous": previous,
        "time": format_time(time),
        "signer": str(signer),
        "key": key,
        **fields,
    }
    _check_body(kind, value)
    return canonical.encode(value)


def parse(kind: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a statement of `kind`; says nothing about who signed it.

    Raises CryptoError unless `body` is canonical and has exactly the kind's fields.
    """
    value = canonical.decode(body)
    try:
        _check_body(kind, value)
    except ValueError:
        raise CryptoError from None
    return value


def key_named_in(body: bytes) -> str:
    """Return which key a body says it was signed with, verified or not: only to find the key that
    verify_statement() then asks for. Raises CryptoError if it says none."""
    if len(body) > canonical.MAX_BYTES:
        raise CryptoError
    try:
        key = json.loads(body)["key"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CryptoError from None
    if type(key) is not str:
        raise CryptoError
    return key


def signed_bytes(kind: str, body: bytes) -> bytes:
    """Return the exact bytes that the signature covers."""
    return context(kind) + body


def digest(body: bytes) -> str:
    """Return the SHA-256 of a body in hex: what the next statement calls `previous`."""
    return hashlib.sha256(body).hexdigest()


def sign_statement(kind: str, body: bytes, private_key: RsaKey) -> bytes:
    """Return the signature of `body`, 384 bytes for 3072 bits.

    Raises ValueError unless it is a statement of `kind` that names `private_key`'s public
    half as its key: what nobody could verify is not signed.
    """
    try:
        value = parse(kind, body)
    except CryptoError:
        raise ValueError(f"not a statement of the kind {kind}") from None
    if value["key"] != _fingerprint(private_key):
        raise ValueError("the statement names another key")
    return signature.sign(signed_bytes(kind, body), private_key)


def verify_statement(
    kind: str, body: bytes, signature_bytes: bytes, public_key: RsaKey
) -> dict[str, Any]:
    """Return the fields of a statement that the holder of `public_key` signed.

    The caller still compares instance, subject, signer and sequence with what it expects.
    Raises CryptoError if anything does not hold.
    """
    if kind not in KINDS:
        raise CryptoError
    # (1) The signature, before anything reads what was signed.
    signature.verify(signed_bytes(kind, body), signature_bytes, public_key)
    # (2) The form.
    value = parse(kind, body)
    # (3) The key it names is the key that signed it.
    if value["key"] != _fingerprint(public_key):
        raise CryptoError
    return value


def format_time(time: datetime) -> str:
    """Return an aware time as "2026-11-23T08:09:13Z"; ValueError if it is naive."""
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the aware UTC time of "2026-11-23T08:09:13Z"; ValueError for any other form."""
    if not TIME.fullmatch(text):
        raise ValueError("a time looks like 2026-11-23T08:09:13Z")
    return datetime.fromisoformat(text)


def _fingerprint(key: RsaKey) -> str:
    return _fingerprint_of(int(key.n), int(key.e))


@lru_cache(maxsize=1024)
def _fingerprint_of(n: int, e: int) -> str:
    return keypair.fingerprint(keypair.public_der(RSA.construct((n, e), consistency_check=False)))


def _check_body(kind: str, value: Mapping[str, Any]) -> None:
    if kind not in KINDS:
        raise ValueError("no such kind of statement")
    given = {name: check for name, check in OPTIONAL.get(kind, {}).items() if name in value}
    _check_fields({"kind": _exactly(kind), **COMMON, **KINDS[kind], **given}, value)
    if given and kind == "key":
        if given.keys() != OPTIONAL["key"].keys():
            raise ValueError("both names or none")
        if value["purpose"] != "signing":
            raise ValueError("a name stands with a signing key: that is the person's identity")
    if "album" in given and value["circle"] != "successors":
        raise ValueError("an album stands with successors: those of that album alone")
    if (value["sequence"] == 1) != (value["previous"] is None):
        raise ValueError("previous is null in the first statement and only there")


def _check_fields(checks: Mapping[str, Check], value: Any) -> None:
    if type(value) is not dict or value.keys() != checks.keys():
        raise ValueError(f"exactly these fields: {', '.join(sorted(checks))}")
    for name, check in checks.items():
        check(value[name])


def _exactly(expected: str) -> Check:
    return _one_of(expected)


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> None:
        if type(value) is not str or value not in allowed:
            raise ValueError(f"one of: {', '.join(allowed)}")

    return check


def _check_uuid(value: Any) -> None:
    if type(value) is not str or str(UUID(value)) != value:
        raise ValueError("a UUID in lower case with hyphens")


def _check_hex_digest(value: Any) -> None:
    if type(value) is not str or not HEX_DIGEST.fullmatch(value):
        raise ValueError("64 lower-case hex digits")


def _check_previous(value: Any) -> None:
    if value is not None:
        _check_hex_digest(value)


def _check_positive(value: Any) -> None:
    # bool is an int to Python: True would pass for 1.
    if type(value) is not int or value < 1:
        raise ValueError("a whole number from 1")


def _check_epoch(value: Any) -> None:
    _check_positive(value)
    if value >= 2**32:
        raise ValueError("below 2**32: it takes 4 bytes in a context")


def _check_time(value: Any) -> None:
    if type(value) is not str:
        raise ValueError("a time is text")
    parse_time(value)


def _check_stored_length(value: Any) -> None:
    _check_positive(value)
    if value < 2 * BLOCK_BYTES or value % BLOCK_BYTES:
        raise ValueError("an IV and whole blocks, in bytes")


def _check_username(value: Any) -> None:
    if type(value) is not str or not USERNAME.fullmatch(value):
        raise ValueError("3 to 32 small letters, digits, dots, underscores, hyphens")


def _check_display_name(value: Any) -> None:
    if type(value) is not str or not 1 <= len(value) <= MAX_DISPLAY_NAME:
        raise ValueError(f"1 to {MAX_DISPLAY_NAME} characters")


def _check_renditions(value: Any) -> None:
    _check_fields({name: _check_rendition(name) for name in RENDITIONS}, value)


def _check_rendition(name: str) -> Check:
    types = (DESCRIPTION_TYPE,) if name == "description" else PICTURE_TYPES
    checks: dict[str, Check] = {
        "sha256": _check_hex_digest,
        "length": _check_stored_length,
        "media_type": _one_of(*types),
        "plaintext_tag": _check_hex_digest,
    }
    return lambda value: _check_fields(checks, value)


def _check_entries(value: Any) -> None:
    if type(value) is not list or not 1 <= len(value) <= MAX_ENTRIES:
        raise ValueError(f"a list of 1 to {MAX_ENTRIES}")
    for entry in value:
        _check_hex_digest(entry)
    if value != sorted(set(value)):
        raise ValueError("sorted, each once")


def _check_details(value: Any) -> None:
    _check_fields({"sha256": _check_hex_digest, "length": _check_stored_length}, value)


def _check_truth(value: Any) -> None:
    if type(value) is not bool:
        raise ValueError("true or false")


COMMON: dict[str, Check] = {
    "suite": _exactly(SUITE),
    "instance": _check_uuid,
    "subject": _check_uuid,
    "sequence": _check_positive,
    "previous": _check_previous,
    "time": _check_time,
    "signer": _check_uuid,
    "key": _check_hex_digest,
}

# The closed list. A kind that joins it gets its table in docs/format.md first.
KINDS: dict[str, dict[str, Check]] = {
    "key": {
        "purpose": _one_of("signing", "encryption"),
        "epoch": _check_epoch,
        "key_pair": _check_uuid,
        "fingerprint": _check_hex_digest,
    },
    "manifest": {
        "lock": _check_epoch,
        "renditions": _check_renditions,
        "key_commitment": _check_hex_digest,
    },
    "share": {"entries": _check_entries},
    "membership": {
        "circle": _one_of("album", "team", "successors"),
        "epoch": _check_epoch,
        "key_commitment": _check_hex_digest,
        "details": _check_details,
        "members_add": _check_truth,
        "entries": _check_entries,
    },
    "acknowledgement": {"manifest": _check_hex_digest},
}
# Fields that came later: what was signed before them stays valid. Of a key's both names, or none.
OPTIONAL: dict[str, dict[str, Check]] = {
    "key": {"username": _check_username, "display_name": _check_display_name},
    "manifest": {"share": _check_hex_digest},
    "acknowledgement": {"picture": _check_hex_digest},
    "membership": {"album": _check_uuid},
}
