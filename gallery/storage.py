"""Where encrypted renditions are kept. Everything here is ciphertext."""

import hashlib
import os
import re
import secrets
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

UNFINISHED = ".unfinished-"
# Lies in the folder from the first start on. A volume that is not mounted is an empty folder:
# there every image would seem lost, and what is written would vanish under the next mount.
MARKER = ".imageshare-storage"
NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")
PIECE_BYTES = 2**20


class StorageAway(Exception):
    """The storage refused or is full; nothing half-written stays under a final name."""


class AtomicFileStorage(FileSystemStorage):
    """Files that are there in full or not at all: temporary name, fsync, rename.

    Django's own writes straight to the final name, and an error leaves half a file there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700, **options)

    def _save(self, name: str, content: Any) -> str:
        self.check_there()
        final = Path(self.path(name))
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = final.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
        try:
            _write_and_sync(unfinished, content.read())
            os.rename(unfinished, final)
            _sync_folder(final.parent)
        finally:
            unfinished.unlink(missing_ok=True)
        return name

    def check_there(self) -> None:
        """Return if this is the folder of the first start. Raises OSError if not."""
        os.stat(Path(self.base_location) / MARKER)

    def check_writable(self) -> None:
        """Return if a file could be written here. Raises OSError if not."""
        self.check_there()
        probe = Path(self.base_location) / f"{UNFINISHED}{uuid.uuid4().hex}"
        try:
            _write_and_sync(probe, b"\0")
        finally:
            probe.unlink(missing_ok=True)


def _write_and_sync(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sealed_storage() -> Storage:
    return storages["sealed"]


def put(data: bytes) -> str:
    """Store ciphertext under a new random name. Raises StorageAway."""
    name = secrets.token_hex(16)
    try:
        return sealed_storage().save(f"{name[:2]}/{name}", ContentFile(data))
    except OSError as error:
        raise StorageAway from error


class Reading:
    """What is stored, open to be read for as long as anybody refers to this.

    An answer may end where nobody can close anything: before its first piece, or in its middle.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek = file.read, file.seek
        weakref.finalize(self, file.close)


@contextmanager
def away_if_it_fails() -> Iterator[None]:
    """Raise StorageAway for whatever error of the system comes while something is read."""
    try:
        yield
    except OSError as error:
        raise StorageAway from error


def reading(name: str) -> Reading | None:
    """Return what is stored, opened at its beginning, or None if nothing is. Raises StorageAway."""
    if not NAME.fullmatch(name):  # an altered row must not name somebody else's file
        return None
    with away_if_it_fails():
        try:
            return Reading(sealed_storage().open(name, "rb"))
        except FileNotFoundError:
            check_there()
            return None


def read(name: str, *, at_most: int) -> bytes | None:
    """Return what is stored, or None if nothing is; at most `at_most` + 1 bytes of it.

    One byte more than was signed is enough to see that a file was extended. Raises StorageAway.
    """
    file = reading(name)
    with away_if_it_fails():
        return file.read(at_most + 1) if file else None


def measure(name: str, *, digest: bool) -> tuple[int, str | None] | None:
    """Return the length of what is stored and, asked for, its SHA-256 in hex; None if nothing is.

    Holds a piece of it at a time. Raises StorageAway.
    """
    if not NAME.fullmatch(name):
        return None
    with away_if_it_fails():
        try:
            if not digest:
                return sealed_storage().size(name), None
            with sealed_storage().open(name, "rb") as file:
                hashed, length = hashlib.sha256(), 0
                for piece in file.chunks(PIECE_BYTES):
                    hashed.update(piece)
                    length += len(piece)
                return length, hashed.hexdigest()
        except FileNotFoundError:
            check_there()
            return None


def check_there() -> None:
    """Return if the storage is the one it was: what is missing there is missing. StorageAway."""
    check = getattr(sealed_storage(), "check_there", None)
    try:
        if check is not None:
            check()
    except OSError as error:
        raise StorageAway from error


def exists(name: str) -> bool:
    return NAME.fullmatch(name) is not None and sealed_storage().exists(name)


def discard(names: Iterable[str]) -> None:
    """Delete what rows name. What cannot be deleted now, `purge` will find."""
    remove(filter(NAME.fullmatch, names))


def remove(listed_names: Iterable[str]) -> None:
    """Delete what the storage itself listed (see `orphans`)."""
    for name in listed_names:
        with suppress(OSError):
            sealed_storage().delete(name)


def orphans(before: datetime, is_known: Callable[[list[str]], set[str]]) -> Iterator[str]:
    """Yield what is stored, was written before `before`, and no row names.

    Also what a crash left unfinished. Raises StorageAway.
    """
    check_there()
    sealed = sealed_storage()
    folders, loose = sealed.listdir("")
    yield from (name for name in loose if name.startswith(UNFINISHED) and _is_old(name, before))
    for folder in folders:
        names = [f"{folder}/{name}" for name in sealed.listdir(folder)[1]]
        known = is_known(names)
        yield from (name for name in names if name not in known and _is_old(name, before))


def _is_old(name: str, before: datetime) -> bool:
    try:
        return sealed_storage().get_modified_time(name) <= before
    except FileNotFoundError:  # its upload was finished, or taken away, meanwhile
        return False
