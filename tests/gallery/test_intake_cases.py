"""Small pictures that once showed a fault, each with what is right.

Made by hand after reports of people; no personal detail in them is real.
"""

import io
from pathlib import Path

import pytest
from PIL import Image

from gallery.containers import icc
from gallery.intake import Picture, PictureRejected, take_in
from tests.gallery.picture_files import LIMITS

CASES = Path(__file__).parent / "pictures" / "cases"
# What every one of them that is no camera's raw file shows in its four fields, but for the two
# whose colours are those of a brighter screen, as Chromium shows these on a usual one.
FIELDS = [(220, 30, 30), (30, 160, 60), (40, 60, 200), (200, 220, 240)]
TONED = [(160, 21, 19), (12, 116, 40), (26, 42, 143), (146, 161, 177)]
NEAR = 12  # a preview is a JPEG

TAKEN: dict[str, tuple[str, ...]] = {
    "avif_alpha_plain.avif": (),
    "avif_alpha_two_ipma.avif": ("faults",),
    "g_anim_no_trailer.gif": ("faults",),
    "g_no_trailer.gif": ("faults",),
    "g_zero_screen.gif": ("faults",),
    "h_mp4_avc_appended.heic": ("video",),
    "h_mpvd_avc.heic": ("video",),
    "hdr_expected_look.png": (),
    "hdr_pq.avif": (),
    "hdr_pq.png": (),
    "icc_1_4_MB.png": ("profile-details",),
    "icc_screen.jpg": ("profile-details",),
    "icc_screen.png": ("profile-details",),
    "j_dnl.jpg": ("faults",),
    "j_no_eoi.jpg": ("faults",),
    "j_no_eoi_trailer_with_ffd9.jpg": ("trailing-bytes",),
    "j_samsung_eoi_sef.jpg": ("trailing-bytes",),
    "j_samsung_no_eoi_sef.jpg": ("faults", "trailing-bytes"),
    "j_text_before_eoi.jpg": ("trailing-bytes",),
    "p_actl_after_idat.png": ("faults",),
    "p_bad_crc_phys.png": ("faults",),
    "p_gama_5.png": ("faults",),
    "p_no_iend.png": ("faults",),
    "p_phys_10.png": ("faults",),
    "p_sbit_5.png": ("faults",),
    "w_odd_no_pad_riff_counts_pad.webp": ("faults",),
    "w_riff_includes_header.webp": ("faults",),
    "w_riff_plus1.webp": ("faults",),
    "x_count_too_large.jpg": (),
    "x_no_link.jpg": (),
    "x_plain6.jpg": (),
    "x_two_blocks_first_broken.jpg": ("camera",),
}
TURNED = {"x_count_too_large.jpg", "x_no_link.jpg", "x_plain6.jpg"}
SMALL = {"h_mp4_avc_appended.heic", "h_mpvd_avc.heic"}  # other pictures, of one colour each
RAW = {path.name for path in CASES.glob("raw_*")}


def taken(name: str, *, keep_details: bool = False) -> Picture[bytes]:
    return take_in((CASES / name).read_bytes(), keep_details=keep_details, limits=LIMITS)


def fields_of(data: bytes) -> list[tuple[int, int, int]]:
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    small = image.reduce(4)
    places = [(1, 1), (5, 1), (3, 3), (7, 3)]  # of eight and four
    return [small.getpixel((x * small.width // 8, y * small.height // 4)) for x, y in places]


def near(shown: list[tuple[int, int, int]], right: list[tuple[int, int, int]]) -> bool:
    pairs = zip(shown, right, strict=True)
    return all(abs(a - b) <= NEAR for one, other in pairs for a, b in zip(one, other, strict=True))


def test_every_case_has_its_right_value():
    assert {path.name for path in CASES.iterdir()} == TAKEN.keys() | RAW


@pytest.mark.attack("F66", "F68")
@pytest.mark.parametrize(("name", "removed"), TAKEN.items(), ids=TAKEN)
def test_a_whole_picture_is_accepted_and_what_was_done_to_it_is_said(name, removed):
    picture = taken(name)
    assert picture.removed == removed
    again = take_in(picture.original, keep_details=False, limits=LIMITS)
    assert (again.original, again.removed) == (picture.original, ())


@pytest.mark.attack("F65")
@pytest.mark.parametrize("name", TAKEN.keys() - TURNED - SMALL)
def test_a_case_looks_as_it_does_in_chromium(name):
    if "alpha" in name:
        return  # compared in Chromium itself: it is see-through
    assert near(fields_of(taken(name).preview), TONED if name.startswith("hdr_pq") else FIELDS)


@pytest.mark.attack("F70")
@pytest.mark.parametrize("name", TURNED)
def test_a_case_is_turned_as_in_chromium(name):
    picture = taken(name)
    assert (picture.width, picture.height) == (320, 480)
    upright = Image.open(io.BytesIO(picture.preview)).transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    upright.save(file, "PNG")
    assert near(fields_of(file.getvalue()), FIELDS)


@pytest.mark.attack("F70")
def test_of_two_exif_blocks_the_first_counts_even_if_broken():
    picture = taken("x_two_blocks_first_broken.jpg")
    assert (picture.width, picture.height) == (480, 320)


@pytest.mark.attack("F68")
@pytest.mark.parametrize(
    "name", [name for name, removed in TAKEN.items() if {"trailing-bytes", "video"} & {*removed}]
)
def test_no_text_and_no_video_is_left_of_a_case(name):
    original = taken(name).original
    for word in (b"SEFT", b"MotionPhoto", b"Image_UTC", b"moov", b"avc1", b"47."):
        assert word not in original


@pytest.mark.attack("F68")
def test_all_ways_to_end_a_jpeg_leave_the_same_file():
    endings = [name for name in TAKEN if name.startswith(("j_no", "j_samsung", "j_text"))]
    assert len({taken(name).original for name in endings}) == 1 < len(endings)


@pytest.mark.attack("F67")
@pytest.mark.parametrize("name", ["icc_screen.png", "icc_screen.jpg"])
def test_whose_screen_it_was_is_not_revealed(name):
    image = Image.open(io.BytesIO(taken(name).original))
    profile = image.info["icc_profile"]
    for word in (b"Example", b"E\0x\0a\0m\0p\0l\0e", b"UltraFine", b"mmod", b"dscm", b"APPL"):
        assert word not in profile
    assert profile[24:36] == bytes(12)


@pytest.mark.attack("F71")
def test_a_profile_of_a_megabyte_and_more_is_taken_and_gets_small():
    profile = Image.open(io.BytesIO(taken("icc_1_4_MB.png").original)).info["icc_profile"]
    assert len(profile) < 10_000 < icc.MAX_PROFILE_BYTES
    kept = taken("icc_1_4_MB.png", keep_details=True)
    assert kept.original == (CASES / "icc_1_4_MB.png").read_bytes()


@pytest.mark.attack("F72")
@pytest.mark.parametrize("name", RAW)
def test_a_raw_file_gets_the_word_on_what_to_export(name):
    with pytest.raises(PictureRejected) as caught:
        taken(name)
    assert caught.value.code == "tiff"
