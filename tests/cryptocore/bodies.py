"""One well-formed statement of each kind, and ways to change it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from Crypto.PublicKey.RSA import RsaKey

from cryptocore import keypair, statements
from cryptocore.signature import sign
from tests.keys import load_pair

INSTANCE = UUID("b6d1c8f4-2a37-4c64-8f0e-3f5a7c1d9e01")
IMAGE = UUID("6f1b0a52-3c0e-4e0b-9a43-7d5a0c1f2e11")
OWNER = UUID("0d9f3a7e-59a1-4b6c-8a52-2f1c9e6b7d40")
READER = UUID("9c3e6b1d-7f20-4d8e-b5a4-61f0c2d3e4f5")
TIME = datetime(2026, 11, 23, 8, 9, 13, 999_999, UTC)
SIGNER = load_pair(1)
KEY = keypair.fingerprint(keypair.public_der(SIGNER))


def hex_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rendition(name: str) -> dict[str, Any]:
    return {
        "sha256": hex_digest(name),
        "length": 48,
        "media_type": "application/json" if name == "description" else "image/jpeg",
        "plaintext_tag": hex_digest(f"tag of {name}"),
    }


FIELDS: dict[str, dict[str, Any]] = {
    "key": {
        "purpose": "encryption",
        "epoch": 1,
        "key_pair": str(READER),
        "fingerprint": hex_digest("a key"),
    },
    "manifest": {
        "lock": 1,
        "renditions": {name: rendition(name) for name in statements.RENDITIONS},
        "key_commitment": hex_digest("a commitment"),
    },
    "share": {"entries": sorted(map(hex_digest, "abc"))},
    "membership": {
        "circle": "album",
        "epoch": 1,
        "key_commitment": hex_digest("a commitment"),
        "details": {"sha256": hex_digest("details"), "length": 64},
        "members_add": False,
        "entries": sorted(map(hex_digest, "abc")),
    },
    "acknowledgement": {"manifest": hex_digest("a manifest")},
}

NAMED = {"purpose": "signing", "username": "ana", "display_name": "Ana Ruiz 山田"}


def compose(kind: str, **changes: Any) -> bytes:
    """A statement of `kind` by OWNER about IMAGE, with `changes`."""
    common = {
        "instance": INSTANCE,
        "subject": IMAGE,
        "sequence": 1,
        "previous": None,
        "time": TIME,
        "signer": OWNER,
        "key": KEY,
    }
    return statements.compose(kind, **{**common, **FIELDS[kind], **changes})


def signed(kind: str, body: bytes, key: RsaKey = SIGNER) -> bytes:
    """A signature over any body as `kind`: sign_statement() would refuse a malformed one."""
    return sign(statements.signed_bytes(kind, body), key)


def changed(kind: str, *path: str, to: Any) -> bytes:
    """The statement of `kind` as canonical JSON, with the field at `path` set to `to`."""
    value = json.loads(compose(kind))
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return as_json(value)


def without(kind: str, *path: str) -> bytes:
    """The statement of `kind` as canonical JSON, with the field at `path` left out."""
    value = json.loads(compose(kind))
    place = value
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return as_json(value)


def as_json(value: Any) -> bytes:
    """Canonical spelling without canonical.py's own limits."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
