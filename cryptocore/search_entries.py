"""The words of an image, kept for one person to search through (docs/format.md, "Search entries").

Encrypted, then MACed, under keys of that person's own: nobody else reads them, and none is read of
another image or of an earlier manifest.
"""

from dataclasses import dataclass, field
from uuid import UUID

from cryptocore import content
from cryptocore.context import context
from cryptocore.mac import TAG_BYTES, check_mac, mac


@dataclass(frozen=True, slots=True)
class SearchKeys:
    """The two keys (32 bytes each) of one person's search entries. Never prints them."""

    words: bytes = field(repr=False)
    tags: bytes = field(repr=False)

    def seal(self, plaintext: bytes, *, image: UUID, manifest: int) -> bytes:
        """Return `IV (16) | AES-256-CBC ciphertext | tag (32)`."""
        sealed = content.encrypt(plaintext, self.words)
        return sealed + mac(context("search-entry", image, manifest) + sealed, self.tags)

    def open(self, stored: bytes, *, image: UUID, manifest: int) -> bytes:
        """Return what seal() was given. Raises CryptoError alike for every failure, before it
        decrypts anything."""
        sealed, tag = stored[:-TAG_BYTES], stored[-TAG_BYTES:]
        check_mac(context("search-entry", image, manifest) + sealed, tag, self.tags)
        return content.decrypt(sealed, self.words)
