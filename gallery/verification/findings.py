"""What can be wrong with images and notices."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    HEAD = "newest statement is gone, does not verify, or is not the newest the trail vouches for"
    EARLIER = "an earlier statement is gone, does not verify, or is not the one named after it"
    SHARE_OF_MANIFEST = "manifest names a share statement that does not belong to this image"
    GONE = "the trail remembers this image, album or team, but there is none"
    NOT_DELETED = "the trail remembers that this was deleted, but something of it is left"
    DELETED = "row says that this was deleted, but the trail does not"
    WITHOUT_END = "its owner began to delete this, and the trail does not say how that ended"
    RENDITIONS = "renditions are not the four that an image has"
    SIZE = "row has another size than was signed"
    STORED_GONE = "stored bytes are missing"
    STORED_ALTERED = "stored bytes are not those that were signed"
    ALBUM = "row of an album or team is not as its owner signed it"
    PLACE = "key of an image or album under that of an album or team is of another lock or epoch"
    READER_UNSIGNED = "row gives somebody access that its owner did not sign"
    READER_GONE = "its owner signed that somebody has access, but no row says so"
    WRAPPED_KEY = "wrapped key is of another lock, of another person, or of no row"
    ACKNOWLEDGEMENT = "confirmation of receipt is missing, or does not verify"
    ORPHAN = "stored file that no row names (`purge` takes it)"
    NOTICE = "notice does not verify, or is a copy of another"
    NOTICES_GONE = "notices are missing"
    NOTICE_HEAD = "count of notices is gone, does not verify, or is older than the trail"
    UNREADABLE = "a row cannot be read"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: with which image or person (or file), and with what of it."""

    kind: Kind
    about: uuid.UUID | str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}" + (f", {self.what}" if self.what else "")
