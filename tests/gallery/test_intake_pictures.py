"""What intake takes, and what it leaves: the picture to the last pixel, and nothing beside it."""

import io
import json
import shutil
import struct
import subprocess
import zlib
from dataclasses import replace

import pi_heif
import pytest
from PIL import Image, ImageOps, ImageSequence

from gallery import containers, intake
from gallery.containers.common import Removed
from gallery.intake import Picture, take_in
from gallery.presenting import removed_in_words
from tests.gallery.picture_files import (
    COLOURS,
    FORMATS,
    HEIC,
    LIMITS,
    PILLOW_FORMATS,
    Item,
    animated_avif,
    canary,
    chunk,
    corners,
    encoded,
    gif,
    heif,
    phone_heic,
    places_found,
    plain,
    png,
    profile,
    riff,
    segment,
    tiff,
    turned,
    webp,
    with_canaries,
)

TURNING = ("JPEG", "PNG", "AVIF", "HEIC")
DETAILED = (*TURNING, "WEBP")
ANIMATED = {
    "PNG": lambda: png(animated_too=True),
    "GIF": gif,
    "WEBP": lambda: webp(animated_too=True),
    "AVIF": animated_avif,
}
SAMPLES = {kind: with_canaries(kind, orientation=6) for kind in FORMATS}
SAMPLES |= {f"{kind} animated": build() for kind, build in ANIMATED.items()}
SAMPLES |= {"HEIC of a phone": phone_heic()}
each_sample = pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES)


def cleaned(data: bytes) -> Picture[bytes]:
    return take_in(data, keep_details=False, limits=LIMITS)


def opened(data: bytes) -> Image.Image:
    if containers.format_of(data) == "HEIC":
        return pi_heif.open_heif(data).to_pillow()
    return Image.open(io.BytesIO(data), formats=[containers.format_of(data)])


def pixels(data: bytes) -> list[tuple[str, bytes]]:
    """Return every frame, coded pixels as they are."""
    frames = ImageSequence.all_frames(opened(data))
    return [(frame.mode, frame.tobytes()) for frame in frames]


def shown(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(opened(data)).convert("RGB")


def colours_at_corners(image: Image.Image) -> list[str]:
    """Return which of COLOURS is top left, top right, bottom left and bottom right."""
    width, height = image.size
    places = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [_nearest(image.convert("RGB").getpixel(place)) for place in places]


def _nearest(pixel: tuple[int, ...]) -> str:
    palette = {name: Image.new("RGB", (1, 1), name).getpixel((0, 0)) for name in COLOURS}
    return min(
        palette,
        key=lambda name: sum(abs(a - b) for a, b in zip(pixel, palette[name], strict=True)),
    )


# ---- nothing stays but the picture -----------------------------------------------------------


@each_sample
def test_the_samples_hide_something_and_it_is_gone(data):
    picture = cleaned(data)
    assert places_found(data)
    for rendition in (picture.original, picture.preview, picture.thumbnail):
        assert not places_found(rendition)


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
@each_sample
def test_the_pixels_of_every_frame_are_the_same(data):
    assert pixels(cleaned(data).original) == pixels(data)


@each_sample
def test_cleaning_again_changes_nothing(data):
    once = cleaned(data).original
    again = cleaned(once)
    assert (again.original, again.removed) == (once, ())


@each_sample
def test_with_details_kept_every_byte_is(data):
    picture = take_in(data, keep_details=True, limits=LIMITS)
    assert picture.original == data
    assert picture.removed == ()
    assert not places_found(picture.preview + picture.thumbnail)


@pytest.mark.parametrize("kind", DETAILED)
def test_the_time_is_kept_only_where_details_are_kept(kind):
    data = with_canaries(kind)
    kept = take_in(data, keep_details=True, limits=LIMITS)
    assert kept.captured_at == "2026-05-03T14:08:09+02:00"
    assert cleaned(data).captured_at is None


@pytest.mark.parametrize("kind", DETAILED)
def test_what_was_removed_is_said_in_words(kind):
    assert {"camera", "location", "thumbnail", "xmp"} <= set(cleaned(with_canaries(kind)).removed)


@pytest.mark.attack("F69")
def test_every_word_for_what_was_removed_has_its_sentence():
    words = {word for name, word in vars(Removed).items() if name.isupper()}
    assert len(words) > 10
    own = {word for word in words if removed_in_words([word]) != [word]}
    assert words - own == {"location", "comments"}  # which are words people know


MACHINE_MADE = {
    "ExifTool", "File", "System", "Composite", "JFIF", "PNG", "RIFF", "GIF", "QuickTime", "Meta",
    "APP14", "ICC_Profile", "ICC-header", "ICC-chrm", "Track1", "Track2",
}  # fmt: skip


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="no exiftool")
@each_sample
def test_exiftool_finds_nothing_that_gives_people_away(data):
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-U", "-ee3", "-"]
    report = subprocess.run(command, input=cleaned(data).original, capture_output=True, check=True)
    (tags,) = json.loads(report.stdout)
    told = {name for name in tags if name.partition(":")[0] not in MACHINE_MADE}
    assert told <= {"SourceFile", "IFD0:Orientation"}
    times = {
        tags[name] for name in tags if name.startswith(("QuickTime", "Track")) and "Date" in name
    }
    assert times <= {"0000:00:00 00:00:00"}


# ---- what stays ------------------------------------------------------------------------------


def test_previews_show_the_colours_the_profile_means_and_carry_none():
    picture = cleaned(encoded(corners(), "PNG", icc_profile=profile()))
    preview = Image.open(io.BytesIO(picture.preview))
    assert "icc_profile" not in preview.info
    assert colours_at_corners(preview)[0] == "blue"  # red and blue are exchanged in it


def test_a_profile_that_does_not_fit_counts_as_none():
    data = encoded(corners().convert("L"), "PNG", icc_profile=profile())
    assert Image.open(io.BytesIO(cleaned(data).preview)).size == corners().size


@pytest.mark.parametrize("little", [True, False], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", TURNING)
def test_every_orientation_is_shown_right(kind, orientation, little):
    picture = cleaned(oriented(kind, tiff(orientation=orientation, little=little), orientation))
    turned_by_exif = shown(encoded(corners(), "PNG", exif=tiff(orientation=orientation)))
    right = colours_at_corners(turned_by_exif)
    preview = Image.open(io.BytesIO(picture.preview))
    assert colours_at_corners(preview) == right
    assert (picture.width, picture.height) == preview.size == turned_by_exif.size
    assert colours_at_corners(shown(picture.original)) == right


def oriented(kind: str, block: bytes, orientation: int) -> bytes:
    if kind in ("AVIF", "HEIC"):
        return replace(
            heif(kind), properties=(*heif(kind).properties, *turned(orientation))
        ).build()
    return encoded(corners(), kind, exif=b"Exif\0\0" + block)


@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_in_heif_boxes_decide_and_not_exif(kind):
    lying = Item(b"Exif", bytes(4) + tiff(orientation=3))
    base = heif(kind)
    data = replace(base, items=(*base.items, lying), properties=(*base.properties, *turned(6)))
    picture = cleaned(data.build())
    assert (picture.width, picture.height) == corners().size[::-1]


def test_of_two_exif_blocks_the_first_counts():
    first, second = (
        segment(0xE1, b"Exif\0\0" + block) for block in (tiff(orientation=6), tiff(details=False))
    )
    data = plain("JPEG")
    assert cleaned(data[:2] + first + second + data[2:]).height == corners().width
    assert cleaned(data[:2] + second + first + data[2:]).height == corners().height


def test_an_exif_block_nobody_can_read_costs_the_picture_nothing():
    data = plain("JPEG")
    picture = cleaned(data[:2] + segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff") + data[2:])
    assert picture.original == data
    assert picture.removed == ("camera",)


def test_exif_in_a_webp_turns_nothing_as_in_browsers():
    simple = plain("WEBP")
    assert simple[12:16] == b"VP8 "
    body = simple[12:] + riff(b"EXIF", tiff(orientation=6))
    data = b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    assert cleaned(data).width == corners().width
    picture = cleaned(oriented("WEBP", tiff(orientation=6), 6))
    assert picture.width == corners().width
    assert "exif" not in opened(picture.original).info


# ---- shapes that cameras and programs write --------------------------------------------------


def several_pictures() -> bytes:
    """Return what phones write: a second picture after the first, and an MPF block about both."""
    return encoded(corners(), "MPO", save_all=True, append_images=[corners()], quality=90)


def jfif_after_another() -> bytes:
    data = plain("JPEG")
    return data[:2] + segment(0xE0, b"AVI1\0\0\0\0") + data[2:]


def deep_grey() -> Image.Image:
    return corners().convert("L").convert("I").point(lambda value: value * 257).convert("I;16")


def see_through() -> Image.Image:
    image = corners().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


ADAM7 = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]


def interlaced_png() -> bytes:
    """Return a PNG of Adam7 passes: 8 by 8 grey pixels."""
    passes = b"".join((b"\0" + bytes(range(width))) * height for width, height in ADAM7)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1))
    body = header + chunk(b"IDAT", zlib.compress(passes)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


SHAPES = {
    "JPEG of a phone, with a second picture": several_pictures(),
    "JPEG with another block before JFIF": jfif_after_another(),
    "JPEG progressive": encoded(corners(), "JPEG", progressive=True),
    "JPEG grey": encoded(corners("L"), "JPEG"),
    "JPEG for print": encoded(corners("CMYK"), "JPEG"),
    "JPEG with restarts": encoded(corners(), "JPEG", restart_marker_blocks=2),
    "JPEG 4:4:4": encoded(corners(), "JPEG", subsampling=0),
    "PNG of 16 bits": encoded(deep_grey(), "PNG"),
    "PNG palette, one colour transparent": encoded(corners().quantize(8), "PNG", transparency=1),
    "PNG of one bit": encoded(corners("1"), "PNG"),
    "PNG grey and transparent": encoded(see_through().convert("LA"), "PNG"),
    "PNG transparent": encoded(see_through(), "PNG"),
    "PNG interlaced": interlaced_png(),
    "GIF still": encoded(corners(), "GIF"),
    "WEBP lossy and transparent": encoded(see_through(), "WEBP"),
    "WEBP lossless and transparent": encoded(see_through(), "WEBP", lossless=True),
    "AVIF transparent": encoded(see_through(), "AVIF"),
    "AVIF 4:4:4": encoded(corners(), "AVIF", subsampling="4:4:4"),
    "AVIF grey": encoded(corners("L"), "AVIF"),
    "HEIC": HEIC,
}


@pytest.mark.parametrize("data", SHAPES.values(), ids=SHAPES)
def test_a_picture_of_any_usual_shape_is_taken_pixel_for_pixel(data):
    picture = cleaned(data)
    assert pixels(picture.original)[0] == pixels(data)[0]
    for rendition in (picture.preview, picture.thumbnail):
        assert Image.open(io.BytesIO(rendition)).size == opened(data).size


def test_the_second_picture_of_a_phone_is_cut_off():
    picture = cleaned(several_pictures())
    assert "other-pictures" in picture.removed
    assert pixels(picture.original) == pixels(several_pictures())[:1]


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_keeps_its_frames(kind):
    picture = cleaned(ANIMATED[kind]())
    expected = 4 if kind == "WEBP" else 3
    assert picture.frames == opened(picture.original).n_frames == expected


def test_16_bits_of_grey_are_not_cut_off():
    preview = Image.open(io.BytesIO(cleaned(encoded(deep_grey(), "PNG")).preview))
    low, high = preview.getextrema()
    assert low < 90
    assert high > 200


def test_a_profile_of_a_png_that_does_not_inflate_is_left_out():
    data = plain("PNG")
    for packed in (b"\xff" * 20, zlib.compress(profile())[:-9]):
        broken = chunk(b"iCCP", b"name\0\0" + packed)
        assert cleaned(data[:33] + broken + data[33:]).original == data


def test_a_gif_repeats_as_often_as_it_did():
    assert opened(cleaned(gif()).original).info["loop"] == opened(gif()).info["loop"]


def test_of_an_adobe_block_stays_what_defines_the_colours():
    block = b"Adobe\0\x64\0\0\0\0\0"
    data = plain("JPEG")
    hiding = data[:2] + segment(0xEE, block + canary("adobe").encode()) + data[2:]
    assert segment(0xEE, block) in cleaned(hiding).original
    assert not places_found(cleaned(hiding).original)


# ---- preview and thumbnail -------------------------------------------------------------------


def test_preview_and_thumbnail_are_no_longer_than_their_sides():
    picture = cleaned(encoded(corners(size=(3000, 1500)), "JPEG"))
    assert Image.open(io.BytesIO(picture.preview)).size == (2048, 1024)
    assert Image.open(io.BytesIO(picture.thumbnail)).size == (512, 256)


@pytest.mark.parametrize("kind", PILLOW_FORMATS)
def test_what_is_opaque_becomes_jpeg_and_what_is_not_webp(kind):
    assert cleaned(plain(kind)).preview_media_type == "image/jpeg"
    if kind in ("PNG", "WEBP", "AVIF"):
        picture = cleaned(encoded(see_through(), kind))
        assert {picture.preview_media_type, picture.thumbnail_media_type} == {"image/webp"}


def test_a_very_long_picture_keeps_at_least_one_pixel():
    picture = cleaned(encoded(Image.new("RGB", (20_000, 1)), "PNG"))
    assert Image.open(io.BytesIO(picture.thumbnail)).size == (512, 1)


def test_nothing_pillow_noted_is_written_into_a_preview():
    image = corners()
    image.info = {"comment": canary("comment").encode(), "exif": tiff(), "xmp": canary("xmp")}
    for mode in ("RGB", "RGBA"):
        assert not places_found(intake._encoded(image.convert(mode), 80)[0])
