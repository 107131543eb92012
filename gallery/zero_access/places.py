"""Where things are at rest, and every string of it."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files import File
from django.db import connections, models

from accounts.models import Invite, KeyPair, User
from audit import chain
from audit.models import AuditEntry
from audit.verification import in_pieces
from gallery import storage
from gallery.models import Rendition
from gallery.zero_access import cells
from gallery.zero_access.strings import Strings

PIECE_BYTES = 2**20
OVERLAP_BYTES = 8192  # a string over the edge of two pieces is found in the second
ROWS = 500
SQLITE_FILES = ("", "-wal", "-journal")
# Shorter than any picture: what an altered row could name to keep a key from being looked at.
SMALL_BYTES = 1024
# As many strings as there are images and openings: see Key.suspect.
RECORDS = ("gallery_", "audit_")


def collect() -> Strings:
    """Return every string at rest here. Reads everything once; writes nothing."""
    strings = Strings()
    leave_out_proven_digests(strings)
    collect_environment(strings)
    collect_settings(strings)
    collect_people(strings)
    for alias in connections:
        collect_database(strings, alias)
    collect_stored(strings)
    collect_files(strings)  # last: what a row says, its file repeats
    return strings


def leave_out_proven_digests(strings: Strings) -> None:
    """Do not try as keys what is the hash of something: fingerprints, and what the audit key
    proves to be the hashes of an entry."""
    for public_key in KeyPair.objects.values_list("public_key", flat=True).iterator(ROWS):
        strings.no_keys.add(hashlib.sha256(public_key).digest())
    for entry in AuditEntry.objects.proofs().iterator(ROWS):
        if entry.is_authentic():
            strings.no_keys |= {entry.leaf_hash, entry.previous, entry.chain}
    strings.no_keys.discard(chain.BEGINNING)


def collect_environment(strings: Strings) -> None:
    for name, value in os.environ.items():
        strings.add_password(value, f"environment: {name}")


def collect_settings(strings: Strings) -> None:
    is_ours = settings.is_overridden  # type: ignore[misc]  # to the plugin all are settings
    for name in filter(is_ours, dir(settings)):
        for value in _leaves(getattr(settings, name)):
            strings.add_password(value, f"setting: {name}")


def _leaves(value: Any) -> Iterator[str]:
    """Yield the texts in a setting, however deep they lie."""
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, bytes):
        yield value.hex()
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _leaves(one))
    elif isinstance(value, list | tuple | set):
        yield from (text for one in value for text in _leaves(one))


def collect_files(strings: Strings) -> None:
    """Take every file whole; the key file and the files of settings word by word, as passwords."""
    for path in _secret_files():
        for word in path.read_text(errors="surrogateescape").split():
            for text in (word.strip('",:'), word.partition("=")[2]):
                strings.add_password(text, f"file: {path.name}")
    databases = set(_databases())
    for path in _files() | databases:
        is_database = path in databases or path.suffix in (".sqlite3", ".sqlite3-wal")
        records = is_database or path.suffix == ".jsonl"
        with suppress(FileNotFoundError), path.open("rb") as file:  # gone: it was not at rest
            for piece in _pieces_of(file):
                strings.add(piece, f"file: {path.name}", suspect=not records)
                for key in cells.keys_in(piece) if is_database else ():
                    strings.add(key, f"file: {path.name}")  # few: the others are in tables, too


def _databases() -> Iterator[Path]:
    """Yield SQLite's files, which may lie anywhere, and their logs."""
    for connection in connections.all():
        name = connection.settings_dict["NAME"]
        files = (Path(f"{name}{end}") for end in SQLITE_FILES if connection.vendor == "sqlite")
        yield from filter(Path.is_file, files)


def _secret_files() -> list[Path]:
    named = [settings.KEY_FILE, settings.DATA_DIR / "secrets.env", settings.BASE_DIR / ".env"]
    return [path for path in named if path.is_file()]


def _files() -> set[Path]:
    """Everything in the data folder but the stored images, and what lies elsewhere."""
    images = settings.DATA_DIR / "images"
    inside = (path for path in settings.DATA_DIR.rglob("*") if images not in path.parents)
    elsewhere = [settings.AUDIT_FILE, *_secret_files(), *settings.UNLOCK_KEYS_DIR.glob("*")]
    return {path for path in (*inside, *elsewhere) if path.is_file()}


def _pieces_of(file: "BinaryIO | File[bytes]") -> Iterator[bytes]:
    before = b""
    while piece := file.read(PIECE_BYTES):
        yield before + piece
        before = piece[-OVERLAP_BYTES:]


def collect_people(strings: Strings) -> None:
    """Take the short texts that people and staff typed, as passwords too."""
    for model in (User, Invite):
        texts = [field.name for field in model._meta.fields if isinstance(field, models.CharField)]
        for row in model.objects.values_list(*texts).iterator(ROWS):
            for value in filter(None, row):
                strings.add_password(value, f"table: {model._meta.db_table}")


def collect_database(strings: Strings, alias: str) -> None:
    """Take every column of every row of every table."""
    with connections[alias].cursor() as cursor:
        for table in connections[alias].introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connections[alias].ops.quote_name(table)}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(ROWS):
                for row in rows:
                    _add_row(strings, table, columns, row)


def _add_row(strings: Strings, table: str, columns: list[str], row: tuple[Any, ...]) -> None:
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        if isinstance(value, bytes | memoryview):
            suspect = not table.startswith(RECORDS)
            strings.add(bytes(value), f"column: {table}.{column}", suspect=suspect)


def collect_stored(strings: Strings) -> None:
    """Take what lies among the stored images and is none: no row names it, or it is too small."""
    for name in _odd_names():
        with suppress(FileNotFoundError), storage.sealed_storage().open(name, "rb") as file:
            for piece in _pieces_of(file):
                strings.add(piece, f"storage: {name}")


def _odd_names() -> Iterator[str]:
    for names in in_pieces(_stored_names()):
        named = Rendition.objects.filter(storage_name__in=names)
        known = set(named.values_list("storage_name", flat=True))
        yield from (name for name in names if name not in known or _is_small(name))


def _is_small(name: str) -> bool:
    with suppress(FileNotFoundError):
        return storage.sealed_storage().size(name) < SMALL_BYTES
    return False


def stored_heads() -> Iterator[tuple[str, bytes]]:
    """Yield every name in the image storage with the first bytes under it."""
    for name in _stored_names():
        with suppress(FileNotFoundError), storage.sealed_storage().open(name, "rb") as file:
            yield name, file.read(64)


def _stored_names(folder: str = "") -> Iterator[str]:
    """Yield every name, at any depth: a key that was left lies in no folder we know."""
    folders, files = storage.sealed_storage().listdir(folder)
    yield from (f"{folder}{name}" for name in files)
    for inner in folders:
        yield from _stored_names(f"{folder}{inner}/")
