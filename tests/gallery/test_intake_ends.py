"""Frames that are slightly broken around a whole picture, and what hides where a picture ends."""

import io
import struct
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from PIL import Image, ImageSequence

from gallery import containers, intake
from gallery.intake import Picture, PictureRejected, take_in
from tests.gallery.picture_files import (
    HEIC,
    HEIGHT,
    LIMITS,
    WIDTH,
    Heif,
    animated,
    box,
    canary,
    chunk,
    corners,
    encoded,
    full_box,
    heif,
    places_found,
    plain,
    riff,
    segment,
    tiff,
    webp,
    xmp,
)

NOISE = Image.effect_noise((200, 120), 80)
COLOURED_NOISE = Image.merge(
    "RGB", [NOISE, NOISE.rotate(180), NOISE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
)


def cleaned(data: bytes) -> Picture[bytes]:
    return take_in(data, keep_details=False, limits=LIMITS)


def frames(data: bytes) -> list[bytes]:
    kind = containers.format_of(data)
    image = Image.open(io.BytesIO(data), formats=[kind])
    return [frame.convert("RGBA").tobytes() for frame in ImageSequence.all_frames(image)]


def assert_mended(data: bytes, whole: bytes, *removed: str) -> None:
    """The file is taken; what is left is `whole`, and a sentence says what was done."""
    picture = cleaned(data)
    assert picture.original == whole
    assert set(picture.removed) == {*removed}


# ---- JPEG ------------------------------------------------------------------------------------

JPEGS = {
    "flat": encoded(corners(), "JPEG"),
    "noise": encoded(COLOURED_NOISE, "JPEG", quality=90),
    "noise, best quality": encoded(COLOURED_NOISE, "JPEG", quality=100, subsampling=0),
    "noise, progressive": encoded(COLOURED_NOISE, "JPEG", quality=90, progressive=True),
    "noise, optimised": encoded(COLOURED_NOISE, "JPEG", quality=75, optimize=True),
    "noise, with restarts": encoded(COLOURED_NOISE, "JPEG", restart_marker_blocks=3),
    "grey": encoded(corners("L"), "JPEG"),
    "for print": encoded(corners("CMYK"), "JPEG"),
    "in RGB": encoded(corners(), "JPEG", keep_rgb=True),
    "white": encoded(Image.new("RGB", (64, 64), "white"), "JPEG"),
    "middle grey": encoded(Image.new("RGB", (64, 64), "#808080"), "JPEG", progressive=True),
}
TRAILER = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data" + canary("place").encode() + bytes(300) + b"SEFT"
HIDDEN = {
    "a text": canary("text").encode(),
    "a phone's trailer": TRAILER,
    "zeros": bytes(5_000),
    "stuffed bytes": b"\xff\0" * 40,
    "restarts": b"\xff\xd0\xff\xd1" * 20 + canary("restarts").encode(),
    "the least that is noticed": b"Canaries",
}
each_jpeg = pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS)
each_hidden = pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)


@each_jpeg
def test_a_jpeg_of_nothing_but_its_picture_stays_byte_for_byte(data):
    assert_mended(data, data)


def grainy(number: int) -> bytes:
    """Return what ends as a photograph does: grain on one colour, the last blocks half outside."""
    random, size = Random(number), (97, 69)
    colour = Image.new("RGB", size, tuple(random.randbytes(3)))
    grain = Image.frombytes("L", size, random.randbytes(size[0] * size[1])).convert("RGB")
    photograph = Image.blend(colour, grain, random.choice([0.03, 0.06, 0.12]))
    return encoded(photograph, "JPEG", quality=random.choice([60, 75, 85, 88, 97]))


def test_photographs_stay_byte_for_byte_and_are_not_searched(monkeypatch):
    asked, fingerprint = [], intake._fingerprint

    def counted(*arguments):
        asked.append(arguments)
        return fingerprint(*arguments)

    monkeypatch.setattr(intake, "_fingerprint", counted)
    for photograph in map(grainy, range(100)):
        asked.clear()
        assert_mended(photograph, photograph)
        assert len(asked) <= 6  # a search takes more than twenty


@pytest.mark.attack("F68")
@each_hidden
@each_jpeg
def test_what_lies_between_the_picture_and_its_end_is_gone_and_said(data, hidden):
    assert_mended(data[:-2] + hidden + data[-2:], data, "trailing-bytes")


@pytest.mark.attack("F66", "F68")
@each_hidden
@each_jpeg
def test_without_an_end_too(data, hidden):
    assert_mended(data[:-2] + hidden, data, "faults", "trailing-bytes")


@pytest.mark.attack("F66")
@each_jpeg
def test_a_jpeg_that_lacks_only_its_end_gets_one(data):
    assert_mended(data[:-2], data, "faults")
    assert_mended(data[:-1], data, "faults")


@pytest.mark.attack("F68")
def test_tables_behind_the_last_scan_are_of_no_use_and_go():
    data = plain("JPEG")
    hiding = segment(0xDB, b"\0" + canary("table").encode().ljust(64))
    assert_mended(data[:-2] + hiding + data[-2:], data, "trailing-bytes")


@pytest.mark.attack("F68")
def test_bytes_between_two_segments_are_gone_and_said():
    data = plain("JPEG")
    at = data.index(b"\xff\xdb")
    assert_mended(data[:at] + canary("between").encode() + data[at:], data, "other")
    assert_mended(data[:at] + b"\xff\xff\xff" + data[at:], data)  # fill bytes are allowed


@pytest.mark.attack("F68")
def test_a_picture_in_a_phones_trailer_is_not_taken_for_the_end():
    data = plain("JPEG")
    inner = encoded(Image.new("RGB", (16, 16)), "JPEG", comment=canary("inner"))
    removed = ("faults", "trailing-bytes", "other-pictures")
    assert_mended(data[:-2] + TRAILER + inner + b"SEFT", data, *removed)


@pytest.mark.attack("F66")
def test_a_height_stated_behind_the_scan_goes_where_decoders_look():
    data = plain("JPEG")
    lines = segment(0xDC, struct.pack(">H", HEIGHT))
    at = data.index(b"\xff\xc0")
    without = data[: at + 5] + b"\0\0" + data[at + 7 :]
    assert_mended(data[:-2] + lines + data[-2:], data, "faults")
    assert_mended(without[:-2] + lines + without[-2:], data, "faults")
    with pytest.raises(PictureRejected):
        cleaned(without)


@pytest.mark.attack("F74")
def test_what_hides_in_a_picture_too_large_to_search_is_refused_as_that():
    data = encoded(COLOURED_NOISE, "JPEG")
    limits = replace(LIMITS, max_pixels=NOISE.width * NOISE.height)
    with pytest.raises(PictureRejected) as caught:
        take_in(data[:-2] + bytes(90_000) + data[-2:], keep_details=False, limits=limits)
    assert caught.value.code == "entangled"
    assert take_in(data, keep_details=False, limits=limits).original == data


@pytest.mark.attack("F74")
def test_a_jpeg_is_decoded_no_more_often_than_its_size_allows(monkeypatch):
    asked, fingerprint = [], intake._fingerprint

    def counted(data, reduced):
        asked.append("reduced" if reduced else "whole")
        return fingerprint(data, reduced)

    monkeypatch.setattr(intake, "_fingerprint", counted)
    data = encoded(COLOURED_NOISE, "JPEG")
    cleaned(data)
    assert asked == ["reduced"] * 2  # nothing to find
    limits = replace(LIMITS, max_pixels=3 * NOISE.width * NOISE.height)
    for hidden in (b"", TRAILER, bytes(50_000), data[700:-2] * 3):
        asked.clear()
        with suppress(PictureRejected):
            take_in(data[:-2] + hidden, keep_details=False, limits=limits)
        assert len(asked) <= 3 * intake.WORK_FACTOR


@pytest.mark.attack("F68")
def test_a_video_behind_a_jpeg_is_called_one():
    video = box(b"ftyp", b"mp42\0\0\0\0isommp42") + box(b"mdat", canary("video").encode())
    data = plain("JPEG")
    assert_mended(data + video, data, "video")


# ---- GIF -------------------------------------------------------------------------------------


@pytest.mark.attack("F66")
@pytest.mark.parametrize("data", [plain("GIF"), animated("GIF")], ids=["still", "animated"])
def test_a_gif_that_lacks_only_its_end_gets_one(data):
    assert_mended(data[:-1], cleaned(data).original, "faults")


@pytest.mark.attack("F66")
@pytest.mark.parametrize("at", [6, 8], ids=["width", "height"])
def test_a_gif_without_a_screen_gets_the_one_its_frames_need(at):
    data = animated("GIF")
    assert_mended(data[:at] + b"\0\0" + data[at + 2 :], cleaned(data).original, "faults")


# ---- PNG -------------------------------------------------------------------------------------


def with_chunk(made: bytes, data: bytes | None = None, at: int = 33) -> bytes:
    data = data or plain("PNG")
    return data[:at] + made + data[at:]


def with_false_checksum(made: bytes) -> bytes:
    return made[:-1] + bytes([made[-1] ^ 1])


PASSED_OVER = {
    "a checksum that is false": with_false_checksum(chunk(b"pHYs", bytes(9))),
    "a gamma of five bytes": chunk(b"gAMA", bytes(5)),
    "a gamma of three bytes": chunk(b"gAMA", bytes(3)),
    "a resolution with a text": chunk(b"pHYs", bytes(9) + b"Canary"),
    "significant bits of a grey": chunk(b"sBIT", b"\x08"),
    "transparency of no palette": chunk(b"tRNS", bytes(7)),
    "places cut short": chunk(b"cHRM", bytes(31)),
    "names of colours, too long": chunk(b"cICP", b"\x09\x10\0\x01\0"),
    "an announcement, too short": chunk(b"acTL", bytes(7)),
    "an announcement of nothing, damaged": with_false_checksum(chunk(b"acTL", bytes(8))),
}


@pytest.mark.attack("F66")
@pytest.mark.parametrize("made", PASSED_OVER.values(), ids=PASSED_OVER)
def test_a_chunk_that_browsers_pass_over_is_left_out_and_said(made):
    assert_mended(with_chunk(made), plain("PNG"), "faults")


@pytest.mark.parametrize("kind", [b"gAMA", b"iCCP", b"cICP", b"sRGB", b"pHYs", b"tRNS"])
def test_a_chunk_behind_the_pixels_counts_for_nothing_and_goes(kind):
    data = plain("PNG")
    assert_mended(with_chunk(chunk(kind, bytes(4)), data, len(data) - 12), data, "other")


@pytest.mark.attack("F66")
@pytest.mark.parametrize("cut", [12, 11, 4, 1])
def test_a_png_that_lacks_only_its_end_gets_one(cut):
    assert_mended(plain("PNG")[:-cut], plain("PNG"), "faults")


@pytest.mark.attack("F66")
def test_an_animation_announced_behind_the_pixels_is_none():
    data = animated("PNG")
    announced = data.index(b"acTL") - 4
    moved = data[announced : announced + 20]
    late = data[:announced] + data[announced + 20 : -12] + moved + data[-12:]
    picture = cleaned(late)
    assert picture.frames == 1
    assert set(picture.removed) == {"faults", "other-pictures"}
    assert frames(picture.original) == frames(data)[:1]


@pytest.mark.attack("F66")
def test_frames_beyond_those_announced_are_left_out_and_said():
    data = animated("PNG").replace(
        chunk(b"acTL", struct.pack(">II", 3, 0)), chunk(b"acTL", struct.pack(">II", 2, 0))
    )
    picture = cleaned(data)
    assert (picture.frames, picture.removed) == (2, ("other-pictures",))
    assert frames(picture.original) == frames(data)[:2]


@pytest.mark.attack("F66")
def test_fewer_frames_than_announced_are_an_incomplete_animation():
    data = animated("PNG").replace(
        chunk(b"acTL", struct.pack(">II", 3, 0)), chunk(b"acTL", struct.pack(">II", 4, 0))
    )
    with pytest.raises(PictureRejected) as caught:
        cleaned(data)
    assert caught.value.code == "incomplete"


# ---- WebP ------------------------------------------------------------------------------------

WEBPS = {
    "lossy": encoded(COLOURED_NOISE, "WEBP"),
    "lossless": encoded(corners(), "WEBP", lossless=True),
    "animated": animated("WEBP"),
    "with a profile": cleaned(webp()).original,
}


@pytest.mark.attack("F66")
@pytest.mark.parametrize("more", [-8, -1, 1, 2, 8])
@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS)
def test_a_webp_that_counts_itself_otherwise_is_counted_again(data, more):
    length = struct.unpack_from("<I", data, 4)[0]
    counted = data[:4] + struct.pack("<I", length + more) + data[8:]
    assert_mended(counted, data, "faults")


@pytest.mark.attack("F66")
@pytest.mark.parametrize("more", [9, 100, 2**31])
def test_a_webp_that_may_lack_a_whole_chunk_is_incomplete(more):
    data = plain("WEBP")
    length = struct.unpack_from("<I", data, 4)[0]
    with pytest.raises(PictureRejected) as caught:
        cleaned(data[:4] + struct.pack("<I", length + more) + data[8:])
    assert caught.value.code == "incomplete"


# ---- AVIF and HEIC ---------------------------------------------------------------------------


class TwoTables(Heif):
    """A file whose associations lie in two tables, as a widely used encoder writes them."""

    def _properties(self) -> bytes:
        extent = full_box(b"ispe", 0, struct.pack(">II", *self.size))
        first, *rest = range(1, 2 + len(self.properties))
        tables = [
            full_box(b"ipma", 0, struct.pack(">IHB", 1, 1, len(used)), bytes(used))
            for used in ([first], rest)
        ]
        return box(b"iprp", box(b"ipco", extent, *self.properties), *tables)


@pytest.mark.attack("F66")
def test_two_tables_of_properties_become_one():
    base = heif("AVIF")
    data = TwoTables(base.brand, base.items, base.properties).build()
    picture = cleaned(data)
    assert (data.count(b"ipma"), picture.original.count(b"ipma")) == (2, 1)
    assert len(picture.original) == len(data)
    assert picture.removed == ("faults",)
    assert frames(picture.original) == frames(plain("AVIF"))
    assert cleaned(picture.original).original == picture.original


@pytest.mark.attack("F68")
@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_a_video_appended_to_a_phones_picture_is_gone_and_said(kind):
    video = (
        box(b"ftyp", b"mp42\0\0\0\0isommp42")
        + box(b"moov", box(b"mvhd", bytes(100)), box(b"udta", canary("place").encode()))
        + box(b"mdat", canary("video").encode() * 9)
    )
    assert_mended(plain(kind) + video, cleaned(plain(kind)).original, "video")


def test_a_video_before_the_pictures_end_does_not_stop_the_reading():
    assert cleaned(HEIC + box(b"mpvd", b"x" * 50)).removed == ("video",)


# ---- content credentials ---------------------------------------------------------------------

JUMBF = box(b"jumb", box(b"jumd", b"c2pa" + bytes(13), b"c2pa\0" + canary("maker").encode()))
CREDENTIALS = {
    "JPEG": plain("JPEG")[:2]
    + segment(0xEB, b"JP\0\x01\0\0\0\x01" + JUMBF)
    + segment(0xEB, b"JP\0\x01\0\0\0\x02" + JUMBF[:8] + canary("rest").encode())
    + plain("JPEG")[2:],
    "PNG": with_chunk(chunk(b"caBX", JUMBF)),
    "WEBP": b"".join(
        [
            b"RIFF",
            struct.pack("<I", len(plain("WEBP")) - 8 + len(riff(b"C2PA", JUMBF))),
            plain("WEBP")[8:],
            riff(b"C2PA", JUMBF),
        ]
    ),
    **{
        kind: heif(
            kind,
            before_data=(box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), JUMBF),),
        ).build()
        for kind in ("AVIF", "HEIC")
    },
}


@pytest.mark.attack("F73")
@pytest.mark.parametrize("data", CREDENTIALS.values(), ids=CREDENTIALS)
def test_content_credentials_are_removed_under_their_name(data):
    picture = cleaned(data)
    assert places_found(data)
    assert not places_found(picture.original)
    assert picture.removed == ("content-credentials",)


# ---- orientation -----------------------------------------------------------------------------

ENTRY, DETAILS = (0x0112, 3, 1, 6), (0x8769, 4, 1, 26)
INNER = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)


def directory(*entries: tuple[int, int, int, int], count: int | None = None, at: int = 8) -> bytes:
    """Return a block of one directory without the place of a next one."""
    head = b"II*\0" + struct.pack("<I", at) + bytes(at - 8)
    coded = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return head + struct.pack("<H", len(entries) if count is None else count) + coded


# As Chromium shows a JPEG with each of them: turned, or as it lies.
BLOCKS = {
    "no next directory": (directory(ENTRY), True),
    "more entries than there are": (directory(ENTRY, count=500), True),
    "at an odd place": (directory(ENTRY, at=9), True),
    "the first entry that is one counts": (directory((0x0112, 3, 1, 9), ENTRY), True),
    "in the directory of details": (directory(DETAILS) + bytes(4) + INNER, True),
    "of another kind": (directory((0x0112, 4, 1, 6)), False),
    "two of them": (directory((0x0112, 3, 2, 6)), False),
    "none of them": (directory((0x0112, 3, 0, 6)), False),
    "no orientation": (directory((0x010F, 1, 1, 6)), False),
    "no entries, it says": (directory(ENTRY, count=0), False),
    "in the directory of the small picture": (
        directory((0x010F, 1, 1, 1)) + struct.pack("<I", 26) + INNER, False,
    ),
    "cut in its entry": (directory(ENTRY)[:-4], False),
    "another number": (directory(ENTRY).replace(b"*", b"+"), False),
}  # fmt: skip


def exif(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def is_turned(data: bytes) -> bool:
    picture = cleaned(data)
    shown = Image.open(io.BytesIO(picture.preview)).size
    assert (picture.width, picture.height) == shown
    return shown == (HEIGHT, WIDTH)


@pytest.mark.attack("F70")
@pytest.mark.parametrize(("block", "turned"), BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_block_turns_a_picture_as_in_chromium(kind, block, turned):
    data = plain(kind)
    made = exif(block) if kind == "JPEG" else chunk(b"eXIf", block)
    at = 2 if kind == "JPEG" else 33
    assert is_turned(data[:at] + made + data[at:]) is turned


SEVERAL = {
    "broken, good": ([exif(b"xx"), exif(directory(ENTRY))], False),
    "good, broken": ([exif(directory(ENTRY)), exif(b"xx")], True),
    "empty, good": ([exif(b""), exif(directory(ENTRY))], True),
    "another byte in the name": ([segment(0xE1, b"Exif\0x" + directory(ENTRY))], True),
    "editing details, good": (
        [segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()), exif(directory(ENTRY))], True,
    ),
}  # fmt: skip


@pytest.mark.attack("F70")
@pytest.mark.parametrize(("blocks", "turned"), SEVERAL.values(), ids=SEVERAL)
def test_of_several_blocks_the_one_counts_that_chromium_reads(blocks, turned):
    data = plain("JPEG")
    assert is_turned(data[:2] + b"".join(blocks) + data[2:]) is turned


@pytest.mark.attack("F70")
def test_a_block_behind_the_picture_turns_nothing():
    jpeg_, png_ = plain("JPEG"), plain("PNG")
    late = chunk(b"eXIf", directory(ENTRY))
    assert not is_turned(jpeg_[:-2] + exif(directory(ENTRY)) + jpeg_[-2:])
    assert not is_turned(png_[:-12] + late + png_[-12:])
    assert not is_turned(with_chunk(with_false_checksum(late)))
    assert not is_turned(with_chunk(chunk(b"eXIf", b"Exif\0\0" + directory(ENTRY))))


@pytest.mark.attack("F70")
def test_of_two_blocks_of_a_png_the_first_counts():
    first, second = (chunk(b"eXIf", block) for block in (b"xx", tiff(orientation=6)))
    assert not is_turned(with_chunk(first + second))
    assert is_turned(with_chunk(second + first))
