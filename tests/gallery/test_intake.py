"""What intake refuses, before anything is decoded, and what it makes of what it takes."""

import struct
import zlib

import pytest
from PIL import Image

from gallery import intake, rejections
from gallery.intake import Limits, PictureRejected, take_in
from tests.gallery.test_intake_pictures import (
    HEIC,
    LIMITS,
    box,
    chunk,
    plain_jpeg,
    quarters,
    saved,
    webp_of,
)


def refusal(data: bytes, **changes: int) -> PictureRejected:
    limits = Limits(**{name: changes.get(name, getattr(LIMITS, name)) for name in LIMITS.__slots__})
    codes = []
    for keep_details in (False, True):
        with pytest.raises(PictureRejected) as caught:
            take_in(data, keep_details=keep_details, limits=limits)
        codes.append(caught.value.code)
    assert codes[0] == codes[1]
    return caught.value


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_args: object, **_options: object) -> None:
        pytest.fail("a decoder was asked")

    monkeypatch.setattr(Image, "open", opened)


# ---- refused ---------------------------------------------------------------------------------

NO_PICTURES = {
    "one byte": b"\xff",
    "text": b"Dear diary, CANARY.",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "html with a picture inside": b"<html><body>" + plain_jpeg(),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "tiff": saved(quarters(), "TIFF"),
    "bmp": saved(quarters(), "BMP"),
    "ico": saved(quarters(), "ICO"),
    "mp4": box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41") + box(b"mdat", b""),
    "zip": b"PK\3\4" + bytes(40),
    "riff of another kind": b"RIFF\x10\0\0\0WAVEfmt ",
}


def test_an_empty_file_is_refused(undecoded):
    assert refusal(b"").code == "empty"


def test_a_file_over_the_limit_is_refused_with_its_size(undecoded):
    rejection = refusal(plain_jpeg(), max_bytes=100)
    assert (rejection.code, rejection.facts) == ("too_large", {"size": len(plain_jpeg())})


@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_refused_whatever_its_name(data, undecoded):
    assert refusal(data).code == "not_an_image"


def test_heic_is_refused_by_name_where_it_cannot_be_read(monkeypatch, undecoded):
    monkeypatch.setattr(intake, "pi_heif", None)
    assert refusal(HEIC).code == "heic_unavailable"


def png_header(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_of_size(width: int, height: int) -> bytes:
    data = plain_jpeg()
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def avif_of_size(width: int, height: int) -> bytes:
    data = saved(quarters(), "AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def vp8x(width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8X", bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
        3, "little"
    )


VP8L_HEADER = (b"VP8L", b"\x2f" + (16_383 << 14 | 16_383).to_bytes(4, "little"))
GIF_PIXEL = b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\2\2\x4c\1\0"
PIXEL_BOMBS = {
    "PNG": png_header(30_000, 30_000),
    "JPEG": jpeg_of_size(65_500, 65_500),
    "GIF screen": b"GIF89a\xff\xff\xff\xff\0\0\0" + GIF_PIXEL + b"\x3b",
    "GIF frame": b"GIF89a\1\0\1\0\0\0\0" + GIF_PIXEL.replace(b"\1\0\1\0", b"\xff" * 4) + b"\x3b",
    "WEBP": webp_of([vp8x(16_384, 16_384), VP8L_HEADER]),
    "AVIF": avif_of_size(20_000, 20_000),
    "HEIC": HEIC.replace(struct.pack(">II", 64, 48), struct.pack(">II", 20_000, 20_000)),
}


@pytest.mark.parametrize("data", PIXEL_BOMBS.values(), ids=PIXEL_BOMBS)
def test_too_many_pixels_are_refused_before_anything_is_decoded(data, undecoded):
    rejection = refusal(data)
    assert rejection.code == "too_many_pixels"
    assert rejection.facts["width"] * rejection.facts["height"] > LIMITS.max_pixels


def test_every_refusal_has_its_sentence():
    for code in rejections._sentences():
        rejection = PictureRejected(code, size=3 * 2**20, width=7, height=8, frames=9)
        assert "100%.jpg" in rejections.sentence_for(rejection, "100%.jpg", LIMITS)
