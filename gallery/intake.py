"""Intake: untrusted bytes in, a clean picture out. The one file that decodes images.

It knows no keys and no Django; what people send it reads only in a process that has neither
(gallery/decoding/). What a file may cost is read from its headers before anything is decoded; its
details are removed before it is sealed; preview and thumbnail are made here, the only moment the
picture is open.
"""

import io
import logging
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace

import pi_heif
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms, ImageFilter, PngImagePlugin

from gallery import containers
from gallery.containers import colours, icc
from gallery.containers.common import (
    Colour,
    Entangled,
    Incomplete,
    Malformed,
    NotTaken,
    Removed,
    TooComplex,
)
from gallery.containers.jpeg_end import Ending
from gallery.pictures import MEDIA_TYPES, Limits, Picture, PictureRejected

# Only the picture itself: every further part that is looked at is one more to die of.
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
# Turns are counted for one core.
pi_heif.options.DECODE_THREADS, AvifImagePlugin.DEFAULT_MAX_THREADS = 0, 1

logger = logging.getLogger(__name__)

# One limit for profiles: what the walk lets stay, the decoder takes.
PngImagePlugin.MAX_TEXT_CHUNK = icc.MAX_PROFILE_BYTES

CODE_OF = {
    Incomplete: "incomplete",
    TooComplex: "too_complex",
    NotTaken: "unusual",
    Entangled: "entangled",
    Malformed: "damaged",
}

# An animation, or a JPEG of many scans, may cost a program that shows it as much as this many
# largest pictures.
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

# Given how many pixels have to be gone over, and how many are in memory at once, what is held
# while they are.
Turn = Callable[[int, int], AbstractContextManager[None]]

# Where a JPEG's data ends is found by decoding it, as often as WORK_FACTOR largest pictures cost,
# and at least twice: that shows whether there is anything to find. A scan beyond the first costs an
# eighth of the whole (measured: 12 million pixels take 0.10 s in one scan, 0.23 s in ten).
LEAST_DECODES, SCANS_PER_DECODE = 2, 8


def load_decoders() -> None:
    """Load what the first picture would have loaded: by then its process can open no file."""
    Image.init()
    time.strptime("2026", "%Y")
    "".encode("utf-16-be")


@dataclass(frozen=True, slots=True)
class Renditions:
    """What decoding gives: the size as displayed, preview and thumbnail with media type each."""

    size: tuple[int, int]
    preview: tuple[bytes, str] = field(repr=False)
    thumbnail: tuple[bytes, str] = field(repr=False)


def take_in(
    data: bytes,
    *,
    keep_details: bool,
    limits: Limits,
    turn: Turn = lambda pixels, held_pixels: nullcontext(),
) -> Picture[bytes]:
    """Return the picture in `data`: byte for byte, or without its details.

    What is decoded is always the file without its details, so nothing in them can steer the
    preview. It is decoded holding a `turn`. Raises PictureRejected, and what `turn` raises.
    """
    _check_bytes(data, limits)
    with _one_refusal():
        cleaned = containers.clean(data)
    _check_amounts(cleaned, limits)
    kept = data if keep_details else None
    del data  # decoding needs the room
    decodes = 1 + (LEAST_DECODES if cleaned.last_scan else 0)
    pixels = decodes * cleaned.work_pixels
    with turn(pixels, cleaned.width * cleaned.height), _one_refusal(ended=cleaned.ended):
        if cleaned.last_scan:
            cleaned = _without_hidden_bytes(cleaned, cleaned.last_scan, limits)
        renditions = _renditions(cleaned, limits)
    original = cleaned.data if kept is None else kept
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
def _one_refusal(*, ended: bool = True) -> Iterator[None]:
    """Turn whatever hostile bytes provoke, MemoryError too, into one refusal that says why.

    Of a file whose end is missing (`ended`), what a decoder cannot show is what is missing.
    """
    try:
        yield
    except PictureRejected:
        raise
    except Malformed as error:
        code = CODE_OF[type(error)]
    except Exception as error:
        logger.info("a file could not be read as a picture: %s", type(error).__name__)
        code = "unreadable" if ended else "incomplete"
    else:
        return
    raise PictureRejected(code) from None


# ---- decoding --------------------------------------------------------------------------------


def _without_hidden_bytes(
    cleaned: containers.Cleaned, last_scan: tuple[int, int], limits: Limits
) -> containers.Cleaned:
    """Return a JPEG without what lies between its picture and its end.

    Raises Incomplete if the end was missing, and something of the picture is missing with it.
    """
    cost = cleaned.width * cleaned.height + cleaned.work_pixels // SCANS_PER_DECODE
    decodes = max(LEAST_DECODES, WORK_FACTOR * limits.max_pixels // cost)
    _opened(cleaned, limits).close()
    ending = Ending(cleaned.data, last_scan, _fingerprint, decodes)
    if not cleaned.ended:
        ending.check_complete()
    shorter = ending.without_what_follows()
    if shorter == cleaned.data:
        return cleaned
    removed = {*cleaned.removed, Removed.TRAILING_BYTES}
    return replace(cleaned, data=shorter, removed=tuple(sorted(removed)))


def _fingerprint(data: bytes, reduced: bool) -> int:
    """Return a number of every pixel of a JPEG, or of one decoded at a quarter of its sides. In
    strips: a second copy costs too much."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if reduced:
            image.draft(None, (-(-image.width // 4), -(-image.height // 4)))
        image.load()
        rows = max(1, STRIP_PIXELS // image.width)
        number = 0
        for top in range(0, image.height, rows):
            strip = image.crop((0, top, image.width, min(top + rows, image.height)))
            number = zlib.crc32(strip.tobytes(), number)
    return number


def _renditions(cleaned: containers.Cleaned, limits: Limits) -> Renditions:
    """Decode the first frame, all of it, and make what is shown of it."""
    with _opened(cleaned, limits) as image:
        size, orientation = image.size, cleaned.orientation
        # In HEIF files boxes say it, not Exif. libheif has turned it; Pillow's AVIF says how.
        if cleaned.format == "HEIC":
            orientation = 1
        elif cleaned.format == "AVIF":
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        preview = _shrunk(image, PREVIEW_PIXELS)
    preview = _in_srgb(preview, cleaned.colour)
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
        picture: Image.Image = photograph.to_pillow()
        return picture
    image = Image.open(io.BytesIO(cleaned.data), formats=(cleaned.format,))
    _check_pixels(image.size, limits)
    return image


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
    mode = image.mode if image.mode in ("L", "CMYK") else "RGB"
    if image.mode.startswith(("I", "1")):
        mode = "L"
    elif image.has_transparency_data:
        mode = "RGBA"
    if factor == 1 and image.mode == mode:
        return image
    size = (-(-image.width // factor), -(-image.height // factor))
    reduced = Image.new(mode, size)
    rows = factor * max(1, STRIP_PIXELS // image.width // factor)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        if strip.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
            strip = strip.convert("I").point(lambda value: value * (1 / 256)).convert("L")
        elif strip.mode != mode:
            strip = strip.convert(mode)
        reduced.paste(strip.reduce(factor), (0, top // factor))
    return reduced


def _in_srgb(image: Image.Image, colour: Colour) -> Image.Image:
    """Return the picture in sRGB: what a viewer assumes of a picture that says nothing.

    Thumbnails would otherwise carry profiles of up to a megabyte. A profile that does not fit the
    picture counts as none, as in browsers.
    """
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if image.mode != "CMYK" and colour.cicp and colour.cicp[1] in colours.BEYOND_SCREENS:
        table = colours.screen_table(*colour.cicp, colour.peak_nits)
        return image.convert(mode).filter(ImageFilter.Color3DLUT(colours.GRID, table))
    profile = colours.profile_of(colour)
    if profile:
        if image.mode == "L" and icc.is_for_rgb(profile):
            image = image.convert("RGB")
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, source, target, outputMode=mode) or image
    return image if image.mode == "L" else image.convert(mode)


def _encoded(image: Image.Image, quality: int) -> tuple[bytes, str]:
    """Return the pixels and nothing but them: as WebP if some are transparent, otherwise as
    JPEG."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == OPAQUE:
        image = image.convert("RGB")
    image.info = {}  # from here Pillow would write comments, profiles and more
    file = io.BytesIO()
    if image.mode == "RGBA":
        image.save(file, "WEBP", quality=quality)
        return file.getvalue(), "image/webp"
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue(), "image/jpeg"
