"""The key file: this installation's own keys, outside the database.

One JSON file, mode 0600: the instance id, and a ring of `id: key` for each purpose, newest first;
retired keys stay to verify. Keys are base64: 32 random bytes, or PKCS#8 DER for the instance key.
`not_believed` lists the instance keys whose certificates no longer count, `rotation` is a rotation
that was begun and not finished (docs/format.md, "The key file").
"""

import base64
import fcntl
import json
import logging
import os
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from Crypto.PublicKey.RSA import RsaKey

from cryptocore import keypair

RINGS = ("instance", "audit", "notice", "factor")
KEY_BYTES = 32
Content = dict[str, Any]

alarm = logging.getLogger("imageshare.alarm")


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


@dataclass(frozen=True)
class Rotation:
    """A rotation that was begun. `stolen_since`: when the keys before may have been stolen."""

    begun_at: datetime
    stolen_since: datetime | None

    @classmethod
    def parse(cls, stored: Mapping[str, str | None]) -> Self:
        since = stored["stolen_since"]
        stolen_since = datetime.fromisoformat(since) if since is not None else None
        return cls(datetime.fromisoformat(str(stored["begun_at"])), stolen_since)

    def as_json(self) -> dict[str, str | None]:
        since = self.stolen_since.isoformat() if self.stolen_since else None
        return {"begun_at": self.begun_at.isoformat(), "stolen_since": since}


class ServerKeys:
    """What the key file holds. Never prints itself."""

    def __init__(
        self,
        instance_id: uuid.UUID,
        rings: Mapping[str, Ring],
        not_believed: Iterable[str] = (),
        rotation: Rotation | None = None,
    ) -> None:
        self.instance_id = instance_id
        self.not_believed = frozenset(not_believed)
        self.rotation = rotation
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
            begun = content.get("rotation")
            rotation = Rotation.parse(begun) if begun else None
            not_believed = content.get("not_believed", [])
            return cls(uuid.UUID(content["instance_id"]), rings, not_believed, rotation)
        except FileNotFoundError:
            raise KeyFileError(
                f"There is no key file at {path}. `make run` makes one for a new installation; an "
                "existing installation needs its own key file back (docs/operations.md)."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyFileError(f"{path} is not a key file of ImageShare.") from None

    @cached_property
    def signing_key(self) -> RsaKey:
        """The newest instance key, which signs key certificates."""
        return self._instance_key(self.instance.newest[0])

    @cached_property
    def public_keys(self) -> dict[str, RsaKey]:
        """The public half of every instance key whose certificates are believed, by fingerprint."""
        return self._public_halves(set(self.instance.ids) - self.not_believed)

    @cached_property
    def all_public_keys(self) -> dict[str, RsaKey]:
        """The same, with those not believed any more: for what was made before a theft."""
        return self._public_halves(self.instance.ids)

    def _public_halves(self, key_ids: Iterable[str]) -> dict[str, RsaKey]:
        halves = [self._instance_key(key_id).public_key() for key_id in key_ids]
        return {keypair.fingerprint(keypair.public_der(half)): half for half in halves}

    def _instance_key(self, key_id: str) -> RsaKey:
        return keypair.check_private_key(self.instance.get(key_id))


def _read_ring(entries: Mapping[str, str]) -> Ring:
    ring = Ring({key_id: base64.b64decode(key, validate=True) for key_id, key in entries.items()})
    if not ring.ids:
        raise ValueError("an empty ring")
    return ring


class LiveServerKeys:
    """The key file as it is now: another one in its place is seen at the next use.

    So a rotation reaches processes that run, without a restart. One that cannot be read leaves
    the keys as they were, with an alarm. Never prints itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _identity_of(path)
        self._keys = ServerKeys.load(path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # otherwise a copy without attributes would look for them for ever
            raise AttributeError(name)
        return getattr(self._newest(), name)

    def _newest(self) -> ServerKeys:
        identity = _identity_of(self._path)
        if identity != self._seen:
            # Before reading: a file replaced meanwhile is then read once more.
            self._seen = identity
            try:
                self._keys = ServerKeys.load(self._path)
            except (KeyFileError, OSError):
                alarm.critical("The key file changed and cannot be read; the keys stay as before.")
        return self._keys

    def rotate(self, *, stolen_since: datetime | None) -> None:
        """Begin a rotation: a new newest key in each ring; old ones stay, and after a theft the
        old instance keys certify nothing any more."""
        with _rewriting(self._path) as content:
            rotation = Rotation(datetime.now(UTC), stolen_since)
            if stolen_since:
                content["not_believed"] = list(content["instance"])
            for name in RINGS:
                content[name] = {**_new_entry(name), **content[name]}
            content["rotation"] = rotation.as_json()

    def finish_rotation(self) -> None:
        """Note that everything hangs on the newest keys."""
        with _rewriting(self._path) as content:
            content.pop("rotation", None)


def _identity_of(path: Path) -> tuple[int, int, int] | None:
    """What distinguishes one file at `path` from the next; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def create(path: Path) -> None:
    """Write a new key file. Raises FileExistsError: an existing one is never overwritten."""
    content: Content = {"instance_id": str(uuid.uuid4())}
    content |= {name: _new_entry(name) for name in RINGS}
    write_private(path, _as_text(content))


def _new_entry(ring: str) -> dict[str, str]:
    if ring == "instance":
        key = keypair.private_der(keypair.generate())
    else:
        key = secrets.token_bytes(KEY_BYTES)
    return {f"{ring}-{secrets.token_hex(4)}": base64.b64encode(key).decode()}


def _as_text(content: Content) -> str:
    return json.dumps(content, indent=2) + "\n"


@contextmanager
def _rewriting(path: Path) -> Iterator[Content]:
    """Read the key file, and put what the caller makes of it in its place: all of it or nothing.

    Under a lock, so that two changes at once are both kept. The new file gets the old one's owner:
    otherwise, when run as root, it would be one that the server cannot read.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        content = json.loads(path.read_text())
        yield content
        status, new = path.stat(), path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            write_private(new, _as_text(content))
            os.chown(new, status.st_uid, status.st_gid)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        os.fsync(folder)
    finally:
        os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner reads (0600). Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
