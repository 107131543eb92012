"""What intake gives: a picture, or the code of the reason why a file is none we take."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Original = TypeVar("Original")

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
RENDITION_FORMATS = ("JPEG", "WEBP")  # of previews and thumbnails
CODES = (
    "empty",
    "too_large",
    "not_an_image",
    "tiff",
    "dicom",
    "incomplete",
    "damaged",
    "unusual",
    "unreadable",
    "entangled",
    "too_many_pixels",
    "too_many_frames",
    "too_much_work",
    "too_complex",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may be: bytes, pixels of one frame, and frames.

    Pillow has a limit of its own on top, of 178 million pixels.
    """

    max_bytes: int
    max_pixels: int
    max_frames: int


class PictureRejected(Exception):
    """The upload is no picture we accept: `code` is one of CODES, `facts` numbers for the
    sentence."""

    def __init__(self, code: str, **facts: int) -> None:
        if code not in CODES:
            raise ValueError("no such code")
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Picture(Generic[Original]):
    """What is sealed of an upload: the original as bytes, or as what these were made into.

    Width and height as displayed, after its orientation. `captured_at` is ISO 8601, with an offset
    if the camera knew it, and only known where details are kept; `removed` holds short words
    (containers.common.Removed).
    """

    original: Original = field(repr=False)
    media_type: str
    width: int
    height: int
    frames: int
    format: str
    preview: bytes = field(repr=False)
    preview_media_type: str
    thumbnail: bytes = field(repr=False)
    thumbnail_media_type: str
    captured_at: str | None
    removed: tuple[str, ...]
