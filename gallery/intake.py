"""Intake: untrusted bytes in, a clean picture out. The one file that decodes images.

It knows no keys and no Django, so that it can run in a limited child process. What a file may
cost is read from its headers before anything is decoded; its details are removed before it is
sealed; preview and thumbnail are made here, the only moment the picture is open.
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from PIL import ExifTags, Image, ImageCms

from gallery import containers

try:
    import pi_heif

    # Only the picture itself: every further part that is looked at is one more to die of.
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
except ImportError:  # an optional package: requirements-heic.txt
    pi_heif = None

logger = logging.getLogger(__name__)

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
CODES = (
    "empty",
    "too_large",
    "not_an_image",
    "tiff",
    "dicom",
    "heic_unavailable",
    "unreadable",
    "too_many_pixels",
    "too_many_frames",
    "too_much_work",
)

# An animation, or a JPEG of many scans, may cost whoever shows it this many largest pictures.
WORK_FACTOR = 16

PREVIEW_PIXELS, THUMBNAIL_PIXELS = 2048, 512  # of the longer side
PREVIEW_QUALITY, THUMBNAIL_QUALITY = 85, 80
# Lanczos follows a cheap reduction, from at least this many times the target.
REDUCING_GAP = 1.5
STRIP_PIXELS = 1_000_000

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = 5  # from this orientation on, width and height change places
OPAQUE = 255

# Given how many pixels have to be gone over, what is held while they are.
Turn = Callable[[int], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may be: bytes, pixels of one frame, and frames.

    Pillow has a limit of its own on top, of 178 million pixels.
    """

    max_bytes: int
    max_pixels: int
    max_frames: int


class PictureRejected(Exception):
    """The upload is no picture we accept: `code` is one of CODES, `facts` numbers to tell."""

    def __init__(self, code: str, **facts: int) -> None:
        if code not in CODES:
            raise ValueError("no such code")
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Picture:
    """What is sealed of an upload. Width and height as displayed, after its orientation.

    `captured_at` is ISO 8601, with an offset if the camera knew it, and only known where details
    are kept; `removed` holds short words (containers.common.Removed).
    """

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


@dataclass(frozen=True, slots=True)
class Renditions:
    """What decoding gives: the size as displayed, preview and thumbnail with media type each."""

    size: tuple[int, int]
    preview: tuple[bytes, str] = field(repr=False)
    thumbnail: tuple[bytes, str] = field(repr=False)


def take_in(
    data: bytes, *, keep_details: bool, limits: Limits, turn: Turn = lambda pixels: nullcontext()
) -> Picture:
    """Return the picture in `data`: byte for byte, or without its details.

    What is decoded is always the file without its details, so nothing in them can steer the
    preview. It is decoded holding a `turn`. Raises PictureRejected, and what `turn` raises.
    """
    _check_bytes(data, limits)
    with _unreadable_if_it_fails():
        cleaned = containers.clean(data)
    _check_amounts(cleaned, limits)
    original = data if keep_details else cleaned.data
    del data  # decoding needs the room
    with turn(cleaned.work_pixels), _unreadable_if_it_fails():
        renditions = _renditions(cleaned, limits)
    width, height = renditions.size
    return Picture(
        original=original,
        media_type=MEDIA_TYPES[cleaned.format],
        width=width,
        height=height,
        frames=cleaned.frames,
        format=cleaned.format,
        preview=renditions.preview[0],
        preview_media_type=renditions.preview[1],
        thumbnail=renditions.thumbnail[0],
        thumbnail_media_type=renditions.thumbnail[1],
        captured_at=cleaned.captured_at if keep_details else None,
        removed=() if keep_details else cleaned.removed,
    )


# ---- refusing --------------------------------------------------------------------------------


def _check_bytes(data: bytes, limits: Limits) -> None:
    if not data:
        raise PictureRejected("empty")
    if len(data) > limits.max_bytes:
        raise PictureRejected("too_large", size=len(data))
    kind = containers.format_of(data)
    if kind is None:
        other = containers.unsupported_format_of(data)
        raise PictureRejected(other.lower() if other else "not_an_image")
    if kind == "HEIC" and pi_heif is None:
        raise PictureRejected("heic_unavailable")


def _check_amounts(cleaned: containers.Cleaned, limits: Limits) -> None:
    """Refuse by what the headers say, before anything is decoded."""
    _check_pixels((cleaned.width, cleaned.height), limits)
    if cleaned.frames > limits.max_frames:
        raise PictureRejected("too_many_frames", frames=cleaned.frames)
    if cleaned.work_pixels > WORK_FACTOR * limits.max_pixels:
        raise PictureRejected("too_much_work", frames=cleaned.frames)


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise PictureRejected("too_many_pixels", width=width, height=height)


@contextmanager
def _unreadable_if_it_fails() -> Iterator[None]:
    """Turn whatever hostile bytes provoke, MemoryError too, into one refusal."""
    try:
        yield
    except PictureRejected:
        raise
    except Exception as error:
        logger.info("a file could not be read as a picture: %s", type(error).__name__)
        raise PictureRejected("unreadable") from None


# ---- decoding --------------------------------------------------------------------------------


def _renditions(cleaned: containers.Cleaned, limits: Limits) -> Renditions:
    """Decode the first frame, all of it, and make what is shown of it."""
    with _opened(cleaned, limits) as image:
        size, profile = image.size, image.info.get("icc_profile")
        orientation = _orientation(image, cleaned)
        preview = _shrunk(image, PREVIEW_PIXELS)
    preview = _in_srgb(preview, profile)
    if orientation != 1:
        preview = preview.transpose(TURNS[orientation])
    return Renditions(
        size=size if orientation < LYING else size[::-1],
        preview=_encoded(preview, PREVIEW_QUALITY),
        thumbnail=_encoded(_shrunk(preview, THUMBNAIL_PIXELS), THUMBNAIL_QUALITY),
    )


def _opened(cleaned: containers.Cleaned, limits: Limits) -> Image.Image:
    """Open with one decoder, where Pillow by itself would try forty.

    What the decoder says of the size is checked again: it may read otherwise than we do.
    """
    if cleaned.format == "HEIC":
        photograph = pi_heif.open_heif(cleaned.data)
        _check_pixels(photograph.size, limits)
        return photograph.to_pillow()
    image = Image.open(io.BytesIO(cleaned.data), formats=(cleaned.format,))
    _check_pixels(image.size, limits)
    return image


def _orientation(image: Image.Image, cleaned: containers.Cleaned) -> int:
    """Return how to turn what was decoded (Exif: 1 to 8).

    In HEIF files boxes say it, not Exif: libheif has turned already, Pillow's AVIF tells.
    """
    if cleaned.format == "HEIC":
        return 1
    if cleaned.format == "AVIF":
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    return cleaned.orientation


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """Return the picture, RGB, RGBA, grey or CMYK, no longer than `side`; never enlarged."""
    scale = min(1, side / max(image.size))
    target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # A JPEG is decoded at a fraction of its size, which still reads every byte of it.
    image.draft(None, target)
    reduced = _reduced(image, max(1, int(max(image.size) / max(target) / REDUCING_GAP)))
    return reduced.resize(target, Image.Resampling.LANCZOS) if reduced.size != target else reduced


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Return the picture in a plain mode, reduced. In strips: a second whole one costs too much."""
    image.load()
    mode = _plain_mode(image)
    if factor == 1 and image.mode == mode:
        return image
    size = (-(-image.width // factor), -(-image.height // factor))
    reduced = Image.new(mode, size)
    rows = factor * max(1, STRIP_PIXELS // image.width // factor)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        reduced.paste(_plain(strip, mode).reduce(factor), (0, top // factor))
    return reduced


def _plain_mode(image: Image.Image) -> str:
    if image.mode.startswith(("I", "1")):
        return "L"
    if image.has_transparency_data:
        return "RGBA"
    return image.mode if image.mode in ("L", "CMYK") else "RGB"


def _plain(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in sRGB: what a viewer assumes of a picture without a profile.

    Thumbnails would otherwise carry profiles of up to a megabyte, with the names of people's
    screens in them. A profile that does not fit the picture counts as none, as in browsers.
    """
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, source, target, outputMode=mode) or image
    return image if image.mode == "L" else image.convert(mode)


def _encoded(image: Image.Image, quality: int) -> tuple[bytes, str]:
    """Return the pixels and nothing but them: as WebP where some are transparent, else as JPEG."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == OPAQUE:
        image = image.convert("RGB")
    image.info = {}  # from here Pillow would write comments, profiles and more
    file = io.BytesIO()
    if image.mode == "RGBA":
        image.save(file, "WEBP", quality=quality)
        return file.getvalue(), "image/webp"
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue(), "image/jpeg"
