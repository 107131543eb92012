"""What can be made of what was found: keys, passwords, recovery codes, private keys."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cryptocore import recovery_code
from cryptocore.errors import CryptoError

KEY_BYTES = 32
RUN = re.compile(rb"[\x20-\x7e]{8,}")
WORD = re.compile(r"[A-Za-z0-9+/=_.-]{16,}")
# Six groups of five, or thirty symbols; longer words are cut apart elsewhere.
PEM = re.compile(rb"-----BEGIN [A-Z ]+-----\s([A-Za-z0-9+/=\s]{64,8000})-----END")
CODE = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Za-z]{5}[- ]?){5}[0-9A-Za-z]{5}(?![0-9A-Za-z])")
UUID_IN_HEX = re.compile(rb"[0-9a-f]{32}")  # how SQLite keeps ids: 16 bytes, no key
PRIVATE_KEY = (b"\x30\x82", 1500, 4096)  # PKCS#8 in DER: how it begins, how long it is
PASSWORD_CHARACTERS = range(8, 200)
DEEPEST = 4  # text in base64 in JSON in a session
LONGEST = 2**20
SHORTEST = 16  # characters of a word: no key is shorter in any alphabet


@dataclass(frozen=True)
class Key:
    """Something that may be a key, and where it was. Never prints itself.

    `suspect`: tried on private keys too, where one try takes milliseconds. All strings are, but
    for those of signed statements, grants and the trail: there are as many as there are images.
    """

    data: bytes = field(repr=False)
    where: str
    suspect: bool = True


class Strings:
    """Every string once, and what it may be."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self.keys: dict[bytes, Key] = {}
        self.passwords: dict[str, str] = {}
        self.codes: dict[str, str] = {}
        self.no_keys: set[bytes] = set()  # what is proven to be the digest of something else

    @property
    def count(self) -> int:
        return len(self._seen)

    def add(self, data: bytes, where: str, *, suspect: bool = True, depth: int = 0) -> None:
        """Take a byte string, and whatever it can be decoded to."""
        digest = hashlib.blake2b(data, digest_size=16).digest()
        if digest in self._seen or depth > DEEPEST:
            return
        self._seen.add(digest)
        start, shortest, longest = PRIVATE_KEY
        if len(data) == KEY_BYTES:
            is_key = data not in self.no_keys and not UUID_IN_HEX.fullmatch(data)
        else:
            is_key = data.startswith(start) and shortest <= len(data) <= longest
        if is_key:
            self.keys.setdefault(data, Key(data, where, suspect))
        for text in _texts(data):
            for code in CODE.findall(text):
                with suppress(CryptoError):
                    self.codes.setdefault(recovery_code.normalise(code), where)
            for word in WORD.findall(text):
                for decoded in _decoded(word):
                    self.add(decoded, where, suspect=suspect, depth=depth + 1)

    def add_password(self, text: str, where: str) -> None:
        """Take a text that is tried as a password, too: each costs a second of Argon2."""
        if len(text) in PASSWORD_CHARACTERS:
            self.passwords.setdefault(text, where)
        self.add(text.encode("utf-8", "surrogateescape"), where)


def _texts(data: bytes) -> Iterator[str]:
    """Yield the readable parts of `data`, and of what it is when it is not compressed."""
    yield from (run.decode("ascii") for run in RUN.findall(data))
    # Base64 in lines, of which each alone is nothing.
    yield from ("".join(block.decode("ascii").split()) for block in PEM.findall(data))
    if data[:1] == b"\x78":
        inflater = zlib.decompressobj()
        try:
            inflated = inflater.decompress(data, LONGEST)
        except zlib.error:
            return
        yield from (run.decode("ascii") for run in RUN.findall(inflated))


def _decoded(word: str) -> Iterator[bytes]:
    """Yield what a word is in hex and in both alphabets of base64: Django's tokens and what
    follows a name, too (`key=…`)."""
    for part in {word, *re.split(r"[=.]", word)}:
        if len(part) < SHORTEST:
            continue
        with suppress(ValueError):
            yield bytes.fromhex(part)
        bare = part.rstrip("=")
        for altchars in (b"+/", b"-_"):
            with suppress(ValueError):
                yield base64.b64decode(bare + "=" * (-len(bare) % 4), altchars, validate=True)
