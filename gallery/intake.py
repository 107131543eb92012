"""Intake: untrusted bytes in, a clean picture out. The one file that decodes images.

It knows no keys and no Django, so that it can run in a limited child process. What a file may
cost is read from its header before anything is decoded; its details are removed before it is
sealed; preview and thumbnail are made here, the only moment the picture is open.
"""

import io
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image, ImageCms, ImageOps

from gallery import containers

try:
    import pi_heif
except ImportError:  # an optional package: requirements-heic.txt
    pi_heif = None
else:
    pi_heif.register_heif_opener()

PREVIEW_PIXELS, THUMBNAIL_PIXELS = 2048, 512  # the longer side
PREVIEW_QUALITY, THUMBNAIL_QUALITY = 85, 80
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
PLUGINS = {"HEIC": ("HEIF",)}  # Pillow's name for it; of all its other formats none is tried
CAPTURED_TAG, EXIF_TAG = 0x9003, 0x8769

# Pillow warns at 89 million pixels and refuses at twice that. Ours is checked before, is lower,
# and refuses.
Image.MAX_IMAGE_PIXELS = None

# A decoded picture takes 4 bytes a pixel, 256 MB at the default limit: one at a time.
_decoder_turn = threading.BoundedSemaphore(1)


class PictureRejected(Exception):
    """The upload is no picture we accept. `code` says why; `facts` are numbers for a sentence."""

    def __init__(self, code: str, **facts: int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may be: bytes, pixels of one frame, and frames."""

    max_bytes: int
    max_pixels: int
    max_frames: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What is sealed of an upload. Width and height as displayed, after its orientation."""

    original: bytes = field(repr=False)
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


def take_in(data: bytes, *, keep_details: bool, limits: Limits) -> Picture:
    """Return the picture in `data`: as it is, or without its details.

    Raises PictureRejected: empty, too_large, not_an_image, heic_unavailable, too_many_pixels,
    too_many_frames, unreadable.
    """
    header = _checked_header(data, limits)
    original, removed = data, ()
    if not keep_details:
        original, removed = _without_details(data)
    with _decoder_turn:
        return _decoded(original, header, removed, keep_details=keep_details)


def _checked_header(data: bytes, limits: Limits) -> containers.Header:
    """Return what the file says of itself, refused if that is more than it may be."""
    if not data:
        raise PictureRejected("empty")
    if len(data) > limits.max_bytes:
        raise PictureRejected("too_large", size=len(data))
    kind = containers.sniff(data)
    if kind is None:
        raise PictureRejected("not_an_image")
    if kind == "HEIC" and pi_heif is None:
        raise PictureRejected("heic_unavailable")
    try:
        header = containers.read_header(data)
    except containers.Malformed:
        raise PictureRejected("unreadable") from None
    if header.width * header.height > limits.max_pixels:
        raise PictureRejected("too_many_pixels", width=header.width, height=header.height)
    if header.frames > limits.max_frames:
        raise PictureRejected("too_many_frames", frames=header.frames)
    return header


def _without_details(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    try:
        return containers.without_details(data)
    except containers.Malformed:
        raise PictureRejected("unreadable") from None


def _decoded(
    original: bytes, header: containers.Header, removed: tuple[str, ...], *, keep_details: bool
) -> Picture:
    try:
        with Image.open(io.BytesIO(original), formats=_plugins(header.format)) as image:
            captured_at = _captured_at(image) if keep_details else None
            width, height = _displayed_size(image)
            preview = _preview(image)
        preview_bytes, preview_type = _encoded(preview, PREVIEW_QUALITY)
        preview.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        thumbnail_bytes, thumbnail_type = _encoded(preview, THUMBNAIL_QUALITY)
    # Decoders raise what they like for hostile input, MemoryError and SyntaxError among it.
    except Exception:
        raise PictureRejected("unreadable") from None
    return Picture(
        original=original,
        media_type=MEDIA_TYPES[header.format],
        width=width,
        height=height,
        frames=header.frames,
        format=header.format,
        preview=preview_bytes,
        preview_media_type=preview_type,
        thumbnail=thumbnail_bytes,
        thumbnail_media_type=thumbnail_type,
        captured_at=captured_at,
        removed=removed,
    )


def _plugins(kind: str) -> tuple[str, ...]:
    return PLUGINS.get(kind, (kind,))


def _displayed_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(containers.ORIENTATION_TAG, 1) in (5, 6, 7, 8)
    return (image.height, image.width) if turned else (image.width, image.height)


def _captured_at(image: Image.Image) -> str | None:
    """Return when the camera says the picture was taken: local time, ISO 8601 without offset."""
    text = image.getexif().get_ifd(EXIF_TAG).get(CAPTURED_TAG)
    try:
        return datetime.strptime(str(text), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
    except ValueError:
        return None


def _preview(image: Image.Image) -> Image.Image:
    """Decode the picture, all of it, and return it small, upright, and without a word beside it."""
    # A JPEG is decoded at a fraction of its size, which still reads every byte of it.
    image.draft("RGB", (PREVIEW_PIXELS, PREVIEW_PIXELS))
    image.load()
    profile = image.info.get("icc_profile")
    small = _plain_mode(image)
    small.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    upright = ImageOps.exif_transpose(small)
    upright.info = {"icc_profile": profile} if profile and image.mode != "CMYK" else {}
    return upright


def _plain_mode(image: Image.Image) -> Image.Image:
    """Return the picture as RGB, or as RGBA if it has transparency."""
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _from_cmyk(image: Image.Image) -> Image.Image:
    profile: Any = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    ink = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(
        image, ink, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    return converted or image.convert("RGB")


def _encoded(image: Image.Image, quality: int) -> tuple[bytes, str]:
    """Return JPEG, or WebP where there is transparency; nothing but pixels and colour profile."""
    profile, image = image.info.get("icc_profile"), image.copy()
    image.info = {}  # Pillow writes comments and more from here
    file = io.BytesIO()
    if image.mode == "RGBA":
        image.save(file, "WEBP", quality=quality, icc_profile=profile)
        return file.getvalue(), "image/webp"
    image.save(file, "JPEG", quality=quality, icc_profile=profile, progressive=False)
    return file.getvalue(), "image/jpeg"
