"""A ZIP that is sent while it is made, and the names in it. Knows no images, keys or requests.

Stored, not compressed: pictures are. Each file's length and checksum stand before it, not behind:
of stored files with lengths behind them macOS's Archive Utility opens none, and nobody can tell
where one ends without the directory (APPNOTE.TXT 4.4.4, bit 3).
"""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from zipfile import ZipFile, ZipInfo
from zlib import crc32

OWN_FILE = 0o600  # who may read it where it is unpacked: the person alone
# What a ZIP can say (APPNOTE.TXT 4.4.6).
FIRST_TIME, LAST_TIME = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC)


class Archive:
    """Files one after the other, then the directory: without it a ZIP opens nowhere, so one that
    was broken off does not look whole. Unless a picture near its end was made to hold a directory
    itself: then only the transfer, in chunks, says that it broke off."""

    def __init__(self) -> None:
        self._directory = _Directory()
        self._files: list[ZipInfo] = []

    def __bool__(self) -> bool:
        return bool(self._files)

    def file(
        self, name: str, time: datetime, pieces: Callable[[], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Yield a file. Its `pieces` are asked for twice, so that nobody holds them all."""
        within = min(max(time.astimezone(UTC), FIRST_TIME), LAST_TIME)
        info = ZipInfo(name, within.timetuple()[:6])
        info.external_attr = OWN_FILE << 16
        info.header_offset = self._directory.position
        info.CRC = 0
        for piece in pieces():
            info.CRC = crc32(piece, info.CRC)
            info.file_size += len(piece)
        info.compress_size = info.file_size
        yield self._sent(info.FileHeader())
        for piece in pieces():
            yield self._sent(piece)
        self._files.append(info)

    def end(self) -> bytes:
        """Return the directory."""
        with ZipFile(self._directory, "w") as archive:
            archive.filelist.extend(self._files)
        return bytes(self._directory.written)

    def _sent(self, piece: bytes) -> bytes:
        self._directory.position += len(piece)
        return piece


class _Directory:
    """Where `zipfile` writes a directory: behind the files, which are sent already."""

    def __init__(self) -> None:
        self.position = 0
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def tell(self) -> int:
        return self.position + len(self.written)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


# ---- names -----------------------------------------------------------------------------------

# With an ending for what it is, and a number, it stays below what any file system takes.
NAME_BYTES = 150
# What one of the usual systems cannot have in a name, or takes for a path.
FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # part of names, and of emoji
# Devices of Windows, whatever follows their first dot.
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"}
RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}


class Names:
    """The names in one archive: each may be unpacked anywhere, and none comes twice."""

    def __init__(self, *taken: str) -> None:
        self._taken = set(map(_folded, taken))

    def take(self, name: str, *endings: str) -> str:
        """Return a name like `name` that nothing has yet. It ends in one of `endings`, which start
        with a dot: in its own, if that is among them, otherwise in the first."""
        stem, dot, own = name.rpartition(".")
        ending = f".{own}"
        if not dot or ending.lower() not in endings:
            stem, ending = name, endings[0]
        stem = _safe(stem)
        for number in count(1):
            numbered = f"{stem} ({number}){ending}" if number > 1 else f"{stem}{ending}"
            if _folded(numbered) not in self._taken:
                break
        self._taken.add(_folded(numbered))
        return numbered


def _safe(name: str) -> str:
    """Return a name without paths, control or direction characters, or what a system keeps."""
    composed = unicodedata.normalize("NFC", name).translate(FORBIDDEN)
    shown = "".join(one for one in composed if one.isprintable() or one in JOINERS)
    short = shown.encode()[:NAME_BYTES].decode(errors="ignore")
    stem = short.strip(" .") or "image"  # hidden with a dot before it; Windows cuts those behind
    return f"_{stem}" if stem.partition(".")[0].strip().lower() in RESERVED else stem


def _folded(name: str) -> str:
    """Return a name as systems compare it that tell apart neither case nor composition."""
    return unicodedata.normalize("NFC", name.casefold())
