"""What a worker takes of a decoder's answer: nothing it did not check. Raises Broken otherwise.

A decoder that was taken over can say anything. It gets no further than a refusal, or some picture
of its own uploader's, within the limits and of a kind we serve.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from gallery import containers
from gallery.containers.common import Removed
from gallery.decoding.wire import Broken
from gallery.pictures import (
    CODES,
    MEDIA_TYPES,
    RENDITION_FORMATS,
    Limits,
    Original,
    Picture,
    PictureRejected,
)

# What travels beside the header, in this order: the large one last.
PARTS = ("preview", "thumbnail", "original")
FACTS = {"size", "width", "height", "frames"}
MOST = 2**48  # of any number: pixels, bytes
RENDITION_BYTES = 8 * 2**20  # a preview of noise takes half of it
REMOVED = {word for name, word in vars(Removed).items() if name.isupper()}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:[0-5]\d)?", re.ASCII)


def most_bytes(limits: Limits) -> int:
    """Return how long the parts of an answer may be together."""
    return limits.max_bytes + 2 * RENDITION_BYTES


def pixels_in(header: dict[str, Any]) -> tuple[int, int]:
    """Return how many pixels have to be gone over, and how many are held at once."""
    pixels, held = header.get("pixels"), header.get("held_pixels")
    _require(_is_count(pixels) and _is_count(held))
    return pixels, held  # type: ignore[return-value]  # counts, as just required


def rejection_in(header: dict[str, Any]) -> PictureRejected:
    code, facts = header["rejected"], header.get("facts")
    if code not in CODES or not isinstance(facts, dict) or not facts.keys() <= FACTS:
        raise Broken
    _require(all(map(_is_count, facts.values())))
    return PictureRejected(code, **facts)


def picture_in(
    header: dict[str, Any],
    lengths: Sequence[int],
    pieces: Callable[[int], Iterator[bytes]],
    limits: Limits,
    keep: Callable[[Iterator[bytes]], Original],
) -> Picture[Original]:
    """Return the picture, with what `keep` makes of its original; `pieces` yields the next part,
    which is so long."""
    _require(len(lengths) == len(PARTS))
    *renditions, length = lengths
    _require(length <= limits.max_bytes and max(renditions) <= RENDITION_BYTES)
    preview, thumbnail = (b"".join(pieces(rendition)) for rendition in renditions)
    original = pieces(length)
    beginning = next(original, b"")
    try:
        said: Picture[Any] = Picture(
            beginning, preview=preview, thumbnail=thumbnail, **header["picture"]
        )
        picture = replace(said, removed=tuple(said.removed))
        _check(picture, beginning, limits)
    except (KeyError, TypeError, ValueError):
        raise Broken from None
    return replace(picture, original=keep(chain([beginning], original)))


def _check(picture: Picture[Any], beginning: bytes, limits: Limits) -> None:
    _require(all(map(_is_count, (picture.width, picture.height, picture.frames))))
    _require(picture.width * picture.height <= limits.max_pixels)
    _require(picture.frames <= limits.max_frames)
    _require(containers.format_of(beginning) == picture.format)
    _require(MEDIA_TYPES[picture.format] == picture.media_type)
    _require_rendition(picture.preview, picture.preview_media_type)
    _require_rendition(picture.thumbnail, picture.thumbnail_media_type)
    # Its words are sealed, and shown to people.
    _require(set(picture.removed) <= REMOVED)
    _require(picture.captured_at is None or TIME.fullmatch(picture.captured_at) is not None)


def _require_rendition(data: bytes, media_type: str) -> None:
    kind = containers.format_of(data)
    _require(kind in RENDITION_FORMATS and MEDIA_TYPES[kind] == media_type)


def _require(condition: object) -> None:
    if not condition:
        raise Broken


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MOST
