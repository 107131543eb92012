"""Reading multipart/form-data (RFC 7578) whole, or not at all.

Django's own parser takes what arrives: a body cut off anywhere passes for a complete one,
`--boundary` ends a file wherever it stands in its bytes, and a part whose headers it cannot read is
silently left out. Here every byte of the stated length arrives and the closing boundary is the last
of it; every part is a field or a file; anything else refuses the request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters

CHUNK_BYTES = 64 * 1024
# A file name of 255 characters, each nine bytes long once percent-encoded, and as much beside it.
MAX_HEADER_BYTES = 4096
# RFC 7578, 4.7: nobody sends the others in a form. Unread, they would pass for the bytes meant.
PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}


class Malformed(MultiPartParserError):
    """The body is no form: something of it could not be read as a field or a file."""


class CutShort(MultiPartParserError):
    """The body ended before its stated length, or before its closing boundary."""


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Part:
    """One field or file: `file_name` is None for a field, and may be empty for a file.

    `data` is read to its end before the next part is asked for.
    """

    name: str
    file_name: str | None
    data: Iterator[bytes]


class Body:
    """A body of `length` bytes. Iterating and reading raise Malformed or CutShort."""

    def __init__(self, stream: Stream, *, length: int, boundary: bytes) -> None:
        self._stream = stream
        self._left = length
        self._delimiter = b"\r\n--" + boundary
        self._held = b"\r\n"  # what the first delimiter needs before it to look like the others

    def __iter__(self) -> Iterator[Part]:
        for preamble in self._until_delimiter():
            _require_blank(preamble)
        while self._has_next():
            if self._held[:2] == b"\r\n":
                raise Malformed("a part without headers")
            name, file_name = _described(self._line(b"\r\n\r\n"))
            yield Part(name, file_name, self._until_delimiter())
        _require_blank(self._held)
        while self._left:
            self._held = b""
            self._read_on()
            _require_blank(self._held)

    def _read_on(self) -> None:
        read = self._stream.read(min(CHUNK_BYTES, self._left))
        if not read:
            raise CutShort("the body ends too early")
        self._left -= len(read)
        self._held += read

    def _until_delimiter(self) -> Iterator[bytes]:
        """Yield what stands before the next delimiter, and go past it."""
        while (at := self._held.find(self._delimiter)) < 0:
            # The last bytes may be the beginning of a delimiter.
            safe = max(0, len(self._held) - len(self._delimiter) + 1)
            data, self._held = self._held[:safe], self._held[safe:]
            if data:
                yield data
            self._read_on()
        data, self._held = self._held[:at], self._held[at + len(self._delimiter) :]
        if data:
            yield data

    def _has_next(self) -> bool:
        """Whether the delimiter just passed begins another part; if not, it closed the body."""
        while len(self._held) < 2:
            self._read_on()
        if self._held.startswith(b"--"):
            self._held = self._held[2:]
            return False
        # Padding a sender may add (RFC 2046, 5.1.1). Another boundary that begins alike is none.
        if self._line(b"\r\n").strip(b" \t"):
            raise Malformed("a delimiter with more behind it")
        return True

    def _line(self, end: bytes) -> bytes:
        while (at := self._held.find(end)) < 0:
            if len(self._held) > MAX_HEADER_BYTES:
                raise Malformed("headers without an end")
            self._read_on()
        line, self._held = self._held[:at], self._held[at + len(end) :]
        if len(line) > MAX_HEADER_BYTES:
            raise Malformed("headers that are too long")
        return line


def _require_blank(outside: bytes) -> None:
    """Some senders begin or end with an empty line; anything else outside would be lost."""
    if outside.strip():
        raise Malformed("bytes outside of every part")


def _described(block: bytes) -> tuple[str, str | None]:
    """Return a part's name and file name. Raises Malformed.

    Bytes that are no UTF-8, as in a file name typed elsewhere, become U+FFFD: a name is only ever
    shown, and what it names is not to be lost for it.
    """
    headers: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or name.lower() in headers:
            raise Malformed("a header that is none, or that comes twice")
        headers[name.lower()] = value.strip()
    try:
        kind, given = parse_header_parameters(headers.get("content-disposition", ""))
    except ValueError as error:
        raise Malformed("a disposition that cannot be read") from error
    named = {name.lower(): value for name, value in given.items()}
    if kind != "form-data" or "name" not in named:
        raise Malformed("a part that is neither field nor file")
    if headers.get("content-transfer-encoding", "").lower() not in PLAIN_ENCODINGS:
        raise Malformed("a part in a transfer encoding")
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise Malformed("parts within a part")
    return named["name"].strip(), named.get("filename")
