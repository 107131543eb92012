"""Where encrypted renditions are kept. Everything here is ciphertext."""

import os
import secrets
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

UNFINISHED = ".unfinished-"


class StorageAway(Exception):
    """The storage refused or is full; nothing half-written stays under a final name."""


class AtomicFileStorage(FileSystemStorage):
    """Files that are there in full or not at all: temporary name, fsync, rename.

    Django's own writes straight to the final name, and an error leaves half a file there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700, **options)

    def _save(self, name: str, content: Any) -> str:
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

    def check_writable(self) -> None:
        """Return if a file could be written here. Raises OSError if not."""
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


def read(name: str, *, at_most: int) -> bytes | None:
    """Return what is stored, or None if nothing is; at most `at_most` + 1 bytes of it.

    One byte more than was signed is enough to see that a file was extended.
    """
    try:
        with sealed_storage().open(name, "rb") as file:
            return file.read(at_most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageAway from error


def discard(names: Iterable[str]) -> None:
    """Delete what is stored. What cannot be deleted now, `purge` will find."""
    for name in names:
        with suppress(OSError):
            sealed_storage().delete(name)
