"""What colours a file means: profiles with nothing else in them, and every other way of saying it.

What Chromium shows of the same files is compared in tests/e2e/test_previews.py.
"""

import io
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image, ImageCms

from gallery.containers import colours, icc
from gallery.containers.common import Colour, Malformed
from gallery.intake import Picture, take_in
from tests.gallery.coloured_files import (
    SAID,
    avif,
    colour_box,
    grey_profile,
    patches,
    png,
    profile_chunk,
    profile_for,
    profile_of_names,
)
from tests.gallery.picture_files import (
    LIMITS,
    animated,
    box,
    canary,
    chunk,
    corners,
    encoded,
    phone_heic,
    places_found,
    plain,
    profile,
    segment,
)

WITH_PROFILE = ("JPEG", "PNG", "WEBP", "AVIF")


def cleaned(data: bytes) -> Picture[bytes]:
    return take_in(data, keep_details=False, limits=LIMITS)


def profile_in(data: bytes) -> bytes | None:
    return Image.open(io.BytesIO(data)).info.get("icc_profile")


def telling(base: bytes) -> bytes:
    """Return a profile with canaries wherever something else than colours finds room."""
    header = bytearray(base[:128])
    header[4:8] = header[40:44] = header[48:52] = header[80:84] = b"Cana"
    header[24:36] = struct.pack(">6H", 2026, 5, 3, 14, 8, 9)
    header[44:48], header[52:64] = b"\0\0Ca", b"Canary-m7f3a"
    header[84:128] = canary("header").encode().ljust(44)
    tags = icc._tags(base)
    hidden = {
        tag: b"text\0\0\0\0" + canary(tag.decode()).encode()
        for tag in (b"desc", b"cprt", b"dscm", b"dmdd", b"mmod", b"vcgt", b"CIED", b"prvt")
    }
    behind = {tag: body + canary(tag.decode()).encode() for tag, body in tags.items()}
    return icc.written(header, hidden | {tag: behind[tag] for tag in tags.keys() - hidden.keys()})


PROFILES = {
    "sRGB with red and blue exchanged": profile(),
    "P3": profile_for(12, 13),
    "BT.2020": profile_for(9, 1),
    "grey": grey_profile(),
    "of version 4, with names": profile_of_names(9, 13),
    "sRGB as lcms writes it": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
}


def transformed(body: bytes, mode: str) -> bytes:
    source = ImageCms.ImageCmsProfile(io.BytesIO(body))
    target = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(patches(mode), source, target, outputMode="RGB").tobytes()


# ---- profiles --------------------------------------------------------------------------------


@pytest.mark.attack("F67")
@pytest.mark.parametrize("base", PROFILES.values(), ids=PROFILES)
def test_of_a_profile_stays_what_colour_needs_and_it_means_the_same(base):
    told = telling(base)
    kept = icc.minimal(told)
    assert places_found(told)
    assert not places_found(kept)
    assert b"Cana" not in kept
    assert kept[24:36] == bytes(12)
    mode = "L" if base[16:20] == b"GRAY" else "RGB"
    assert transformed(kept, mode) == transformed(base, mode)
    assert icc.minimal(kept) == kept


@pytest.mark.attack("F67")
@pytest.mark.parametrize("kind", WITH_PROFILE)
def test_in_a_file_it_is_the_same_and_said(kind):
    picture = cleaned(encoded(corners(), kind, icc_profile=telling(profile())))
    assert not places_found(picture.original)
    assert picture.removed == ("profile-details",)
    kept = profile_in(picture.original)
    assert transformed(kept.rstrip(b"\0"), "RGB") == transformed(profile(), "RGB")
    again = cleaned(picture.original)
    assert (again.original, again.removed) == (picture.original, ())


@pytest.mark.attack("F67")
def test_a_profile_in_a_phones_heic_is_the_same_length_and_says_nothing():
    data = phone_heic().replace(profile(), telling(profile())[: len(profile())])
    picture = cleaned(phone_heic())
    assert "profile-details" in picture.removed
    assert icc.minimal(profile()) in picture.original
    assert not places_found(cleaned(data).original)


@pytest.mark.attack("F67")
def test_a_profile_nobody_can_read_goes_and_is_named():
    for kind in ("JPEG", "WEBP"):
        picture = cleaned(encoded(corners(), kind, icc_profile=b"Canary-none-7f3a" * 20))
        assert picture.removed == ("profile",)
        assert profile_in(picture.original) is None


@pytest.mark.attack("F67")
def test_a_jpegs_profile_counts_only_whole_and_before_the_picture():
    data, half = plain("JPEG"), len(profile()) // 2

    def part(number: int, count: int, body: bytes) -> bytes:
        return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + body)

    first, second = part(1, 2, profile()[:half]), part(2, 2, profile()[half:])
    for parts in (first + second, second + first):
        kept = cleaned(data[:2] + parts + data[2:]).original
        assert profile_in(kept) == icc.minimal(profile())
    assert cleaned(data[:2] + first + data[2:]).removed == ("profile",)
    assert cleaned(data[:-2] + part(1, 1, profile()) + data[-2:]).original == data


@pytest.mark.attack("F71")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_one_limit_for_profiles_above_which_there_is_none(kind):
    def of_table(length: int) -> bytes:
        """Return a profile whose table no program can make smaller."""
        tags = {**icc._tags(profile()), b"B2A0": b"mBA " + bytes(length - 4)}
        return icc.written(bytearray(profile()[:128]), tags)

    room = icc.MAX_PROFILE_BYTES - len(of_table(4)) - 200
    largest, larger = of_table(room), of_table(icc.MAX_PROFILE_BYTES)
    picture = cleaned(encoded(corners(), kind, icc_profile=largest))
    assert len(profile_in(picture.original)) > 7_900_000
    assert cleaned(encoded(corners(), kind, icc_profile=larger)).removed == ("profile",)


@pytest.mark.parametrize(
    "broken",
    [
        profile()[:-40],
        b"",
        profile().replace(b"acsp", b"acsq"),
        profile()[:128] + b"\xff\xff\xff\xff" + profile()[132:],
        icc.written(
            bytearray(profile()[:128]), {b"A2B0": b"mft2\0\0\0\0\xff\xff\xff\0" + bytes(40)}
        ),
        icc.written(bytearray(profile()[:128]), {b"A2B0": b"mft1"}),
        icc.written(bytearray(profile()[:128]), {b"desc": b"desc"}),
    ],
    ids=["cut", "empty", "magic", "tags", "channels", "short table", "no colours"],
)
def test_a_profile_that_does_not_add_up_is_none(broken):
    assert icc.minimal(broken) is None


def test_a_profile_of_a_png_that_does_not_inflate_says_so():
    data = plain("PNG")
    bomb = zlib.compress(bytes(icc.MAX_PROFILE_BYTES + 1))
    for packed in (b"\xff" * 20, zlib.compress(profile())[:-9], bomb):
        picture = cleaned(data[:33] + chunk(b"iCCP", b"name\0\0" + packed) + data[33:])
        assert (picture.original, picture.removed) == (data, ("profile",))


def test_bytes_behind_the_profile_of_a_png_are_left_out():
    data = plain("PNG")
    kept = icc.minimal(profile())
    hiding = chunk(b"iCCP", b"icc\0\0" + zlib.compress(kept) + canary("behind").encode())
    picture = cleaned(data[:33] + hiding + data[33:])
    assert not places_found(picture.original)
    assert profile_in(picture.original) == kept


# ---- other ways of saying it -----------------------------------------------------------------


@pytest.mark.attack("F65")
def test_a_text_for_browsers_only_is_in_the_preview_too():
    """Two greys that differ only where gAMA is followed: here the preview once was one plain."""
    image = Image.new("L", (64, 32), 0)
    image.paste(30, (16, 8, 48, 24))
    data = encoded(image, "PNG")
    gamma = chunk(b"gAMA", struct.pack(">I", 500_000))
    shown = Image.open(io.BytesIO(cleaned(data[:33] + gamma + data[33:]).preview)).convert("L")
    assert shown.getpixel((32, 16)) - shown.getpixel((4, 4)) > 150


@pytest.mark.attack("F65")
@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("gamma 100000", 188),
        ("sRGB, gamma, wide", 128),
        ("profile, gamma", 128),
        ("names nobody knows, gamma", 188),
        ("PQ", 132),
        ("HLG", 99),
        ("PQ up to 203", 182),
    ],
)
def test_the_middle_grey_is_the_one_chromium_shows(said, right):
    shown = Image.open(io.BytesIO(cleaned(png(SAID[said])).preview)).convert("RGB")
    assert all(abs(value - right) <= 4 for value in shown.getpixel((80, 16)))


def pq_code(nits: float) -> int:
    """Return what is stored of eight bits for a brightness (the inverse of SMPTE ST 2084)."""
    root = (nits / 10_000) ** (2610 / 16_384)
    return round(255 * ((107 / 128 + 2413 / 128 * root) / (1 + 2392 / 128 * root)) ** (2523 / 32))


@pytest.mark.attack("F65")
@pytest.mark.parametrize(
    ("nits", "right"),
    [(50, (119, 38, 23)), (203, (225, 79, 52)), (1_000, (255, 110, 74)), (4_000, (255, 111, 74))],
)
def test_what_is_brighter_than_a_screen_keeps_its_colour_as_in_chromium(nits, right):
    bright = tuple(pq_code(nits / part) for part in (1, 4, 10))
    data = encoded(Image.new("RGB", (32, 32), bright), "PNG")
    picture = cleaned(data[:33] + SAID["PQ"] + data[33:])
    shown = Image.open(io.BytesIO(picture.preview)).getpixel((16, 16))
    assert all(abs(a - b) <= 12 for a, b in zip(shown, right, strict=True)), shown


@pytest.mark.attack("F65")
def test_a_heic_in_the_colours_of_a_film_screen_is_shown_in_them():
    data = phone_heic()
    found = data.index(b"colrprof")
    named = b"colr" + colour_box(9, 13)[8:].ljust(len(profile()) + 4, b"\0")
    plain_preview = cleaned(data.replace(profile(), b"x" * len(profile()))).preview
    preview = cleaned(data[:found] + named + data[found + len(named) :]).preview
    before, after = (Image.open(io.BytesIO(body)).tobytes() for body in (plain_preview, preview))
    assert before != after


@pytest.mark.attack("F65")
def test_what_an_avif_does_not_say_its_coded_picture_does():
    said = encoded(patches(), "AVIF", quality=95, subsampling="4:4:4")
    silent = avif()
    assert b"colr" in said
    assert b"colr" not in silent
    one, other = (cleaned(data).preview for data in (said, silent))
    assert Image.open(io.BytesIO(one)).tobytes() == Image.open(io.BytesIO(other)).tobytes()


def test_bytes_behind_the_names_of_colours_are_emptied():
    data = avif(box(b"colr", colour_box(9, 13)[8:], canary("behind").encode()))
    assert not places_found(cleaned(data).original)


def test_profiles_of_an_animation_are_minimal_too():
    data = animated("AVIF")
    assert cleaned(data).frames == 3
    picture = encoded(
        corners(), "AVIF", save_all=True, append_images=[corners()], icc_profile=telling(profile())
    )
    assert not places_found(cleaned(picture).original)


def test_a_white_without_light_is_no_matrix():
    with pytest.raises(ZeroDivisionError):
        colours.to_xyz((0.3, 0, *colours.SRGB[2:]))


def test_what_is_srgb_needs_no_profile():
    for colour in (Colour(), Colour(cicp=(1, 13)), Colour(gamma=2.2), Colour(gamma=2.15)):
        assert colours.profile_of(colour) is None
    assert colours.profile_of(Colour(gamma=1.8)) is not None
    assert colours.profile_of(replace(Colour(), profile=profile())) == profile()


def test_a_profile_without_its_fields_is_malformed():
    with pytest.raises(Malformed):
        icc._tags(profile()[:100])


def test_a_profile_in_a_png_for_grey_is_for_grey():
    shown = Image.open(io.BytesIO(cleaned(png(profile_chunk(grey_profile()), "L")).preview))
    assert abs(shown.convert("L").getpixel((80, 16)) - 188) <= 4
