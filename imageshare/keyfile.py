"""The key file: this installation's own keys, outside the database.

One JSON file, mode 0600: the instance id, and a ring of `id: key` for each purpose, newest first;
retired keys stay to verify. Keys are base64: 32 random bytes, but for the instance key PKCS#8 DER.
"""

import base64
import json
import os
import secrets
import uuid
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from Crypto.PublicKey.RSA import RsaKey

from cryptocore import keypair

RINGS = ("instance", "audit", "notice", "factor")
KEY_BYTES = 32


class KeyFileError(Exception):
    """The key file is missing or not one of ours; the message says what to do."""


class Ring:
    """The keys of one purpose, newest first. Never prints a key."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    @property
    def newest(self) -> tuple[str, bytes]:
        return next(iter(self._keys.items()))

    @property
    def ids(self) -> list[str]:
        return list(self._keys)

    def get(self, key_id: str) -> bytes:
        """Return the key with this id. Raises KeyError if the ring does not hold it."""
        return self._keys[key_id]


class ServerKeys:
    """What the key file holds. Never prints itself."""

    def __init__(self, instance_id: uuid.UUID, rings: Mapping[str, Ring]) -> None:
        self.instance_id = instance_id
        self.instance = rings["instance"]
        self.audit = rings["audit"]
        self.notice = rings["notice"]
        self.factor = rings["factor"]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key file at `path`. Raises KeyFileError if there is none, or it is not one."""
        try:
            content = json.loads(path.read_text())
            rings = {name: _read_ring(content[name]) for name in RINGS}
            return cls(uuid.UUID(content["instance_id"]), rings)
        except FileNotFoundError:
            raise KeyFileError(
                f"There is no key file at {path}. `make run` makes one for a new installation; "
                "an existing one needs its own back (docs/operations.md)."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyFileError(f"{path} is not a key file of ImageShare.") from None

    @cached_property
    def signing_key(self) -> RsaKey:
        """The newest instance key, which signs key certificates."""
        return self._instance_key(self.instance.newest[0])

    @cached_property
    def public_keys(self) -> dict[str, RsaKey]:
        """The public half of every instance key, by its fingerprint."""
        halves = [self._instance_key(key_id).public_key() for key_id in self.instance.ids]
        return {keypair.fingerprint(keypair.public_der(half)): half for half in halves}

    def _instance_key(self, key_id: str) -> RsaKey:
        return keypair.check_private_key(self.instance.get(key_id))


def _read_ring(entries: Mapping[str, str]) -> Ring:
    ring = Ring({key_id: base64.b64decode(key, validate=True) for key_id, key in entries.items()})
    if not ring.ids:
        raise ValueError("an empty ring")
    return ring


def create(path: Path) -> None:
    """Write a new key file. Raises FileExistsError: an existing one is never overwritten."""
    content: dict[str, object] = {"instance_id": str(uuid.uuid4())}
    for name in RINGS:
        key = _new_instance_key() if name == "instance" else secrets.token_bytes(KEY_BYTES)
        content[name] = {f"{name}-{secrets.token_hex(4)}": base64.b64encode(key).decode()}
    write_private(path, json.dumps(content, indent=2) + "\n")


def _new_instance_key() -> bytes:
    return keypair.private_der(keypair.generate())


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner reads (0600). Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
