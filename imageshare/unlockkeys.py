"""Unlock keys: the server's part of what keeps somebody unlocked, destroyed within a day.

A browser's cookie and a row of the database open keys together, and a copy of the database would go
on opening them with that cookie. So a third part is mixed in, which is in no database: one of a few
short-lived keys, a new one each hour, each destroyed once no session that began under it can last.
From then on no copy of a row opens, even with its cookie (docs/decisions/0040).

Each is a file of its own, in a folder that backups leave out, named by when it was made. So
processes need no lock, and a restart locks nobody; without the folder everybody is locked, and
types the password once.
"""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from imageshare.keyfile import KEY_BYTES, write_private

REPLACED_AFTER = timedelta(hours=1)
# A dot before it: being written, by a process that may have died of it.
NAME = re.compile(r"\.?(?P<made_at>[0-9]{10})-[0-9a-f]{8}")


class UnlockKeysAway(OSError):
    """The folder of unlock keys cannot be read or written: nobody can unlock for now."""


class UnlockKeys:
    """The keys in a folder. They are read at each use and kept nowhere else."""

    def __init__(self, folder: Path, *, sessions_last: timedelta) -> None:
        self._folder = folder
        self._last = REPLACED_AFTER + sessions_last

    def newest(self) -> tuple[str, bytes]:
        """Return the current key and its name, made now if the one before is an hour old.

        Raises UnlockKeysAway.
        """
        with _away_on_errors():
            ages = {path.name: age for path, age in self._ages() if not path.name.startswith(".")}
            present = [name for name, age in ages.items() if age < REPLACED_AFTER]
            with suppress(KeyError):  # destroyed meanwhile
                if present:
                    return max(present), self.get(max(present))
            return self._make()

    def get(self, name: str) -> bytes:
        """Return the key of this name. Raises KeyError if it was destroyed, or never was."""
        if not NAME.fullmatch(name):  # it is in a row, which must lead nowhere else
            raise KeyError(name)
        try:
            key = bytes.fromhex((self._folder / name).read_text())
        except (OSError, ValueError):
            raise KeyError(name) from None
        if len(key) != KEY_BYTES:
            raise KeyError(name)
        return key

    def destroy_old(self) -> int:
        """Destroy the keys that no session can need any more; return how many there were.

        Raises UnlockKeysAway.
        """
        with _away_on_errors():
            old = [path for path, age in self._ages() if age >= self._last]
            for path in old:
                _destroy(path)
        return len(old)

    def _ages(self) -> list[tuple[Path, timedelta]]:
        """Return what is there and how far from now it was made: a clock that was wrong for a
        while must not leave a key for years."""
        if not self._folder.is_dir():
            return []
        named = ((path, NAME.fullmatch(path.name)) for path in self._folder.iterdir())
        now = time.time()
        return [
            (path, timedelta(seconds=abs(now - int(match["made_at"]))))
            for path, match in named
            if match
        ]

    def _make(self) -> tuple[str, bytes]:
        """Two processes may each make one at once: both are good."""
        name, key = f"{int(time.time())}-{secrets.token_hex(4)}", secrets.token_bytes(KEY_BYTES)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = self._folder / f".{name}"
        write_private(begun, key.hex())
        begun.replace(self._folder / name)
        return name, key


@contextmanager
def _away_on_errors() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise UnlockKeysAway from None


def _destroy(path: Path) -> None:
    """Overwrite and remove a key. A disk that writes elsewhere keeps the old bytes for a while."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(bytes(2 * KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
