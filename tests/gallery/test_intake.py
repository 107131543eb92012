"""What intake refuses, before anything is decoded wherever the headers show it."""

import struct
import zlib
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image

from gallery import containers, intake, rejections
from gallery.intake import Limits, PictureRejected, take_in
from gallery.pictures import CODES
from tests.gallery.picture_files import (
    FORMATS,
    HEIC,
    HEIGHT,
    LIMITS,
    WIDTH,
    Item,
    Part,
    animated,
    box,
    built,
    chunk,
    corners,
    encoded,
    extent,
    find_box,
    grid,
    heif,
    linked,
    phone_heic,
    plain,
    riff,
    segment,
    xmp,
)


def refusal(data: bytes, **changes: int) -> PictureRejected:
    codes = []
    for keep_details in (False, True):
        with pytest.raises(PictureRejected) as caught:
            take_in(data, keep_details=keep_details, limits=replace(LIMITS, **changes))
        codes.append(caught.value.code)
    assert codes[0] == codes[1]
    return caught.value


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_args: object, **_options: object) -> None:
        pytest.fail("a decoder was asked")

    monkeypatch.setattr(Image, "open", opened)
    monkeypatch.setattr(intake.pi_heif, "open_heif", opened)


# ---- no picture ------------------------------------------------------------------------------

NO_PICTURES = {
    "one byte": b"\xff",
    "text": b"Dear diary,",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "html with a picture inside": b"<html><body>" + plain("JPEG"),
    "zip with a picture inside": b"PK\3\4" + plain("PNG"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "bmp": encoded(corners(), "BMP"),
    "ico": encoded(corners(), "ICO"),
    "mp4": box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41") + box(b"mdat", b""),
    "riff of another kind": b"RIFF\x10\0\0\0WAVEfmt ",
    "program": b"MZ\x90\0" + bytes(60),
}


def test_an_empty_file_is_refused(undecoded):
    assert refusal(b"").code == "empty"


def test_a_file_over_the_limit_is_refused_with_its_size(undecoded):
    data = plain("JPEG")
    rejection = refusal(data, max_bytes=len(data) - 1)
    assert (rejection.code, rejection.facts) == ("too_large", {"size": len(data)})


@pytest.mark.attack("E7")
def test_a_file_as_large_as_the_limits_is_taken():
    data = plain("JPEG")
    limits = Limits(max_bytes=len(data), max_pixels=WIDTH * HEIGHT, max_frames=1)
    assert take_in(data, keep_details=False, limits=limits).original == data


@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_refused_whatever_its_name(data, undecoded):
    assert refusal(data).code == "not_an_image"


@pytest.mark.parametrize(
    ("data", "code"),
    [(encoded(corners(), "TIFF"), "tiff"), (bytes(128) + b"DICM\2\0\0\0", "dicom")],
    ids=["tiff", "dicom"],
)
def test_formats_that_people_take_for_pictures_are_refused_by_name(data, code, undecoded):
    assert refusal(data).code == code


# ---- cut short -------------------------------------------------------------------------------


# What may be missing at the end of a file of which all the picture is there: its end mark.
END_BYTES = {"JPEG": 2, "PNG": 12, "GIF": 1}


@pytest.mark.attack("F66")
@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_short_anywhere_is_refused_as_incomplete(kind):
    data = plain(kind)
    last = len(data) - END_BYTES.get(kind, 0) - 1
    for length in {*range(12, last, 37), last - 1, last}:
        assert refusal(data[:length]).code == "incomplete"


@pytest.mark.attack("F66")
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_jpeg_cut_short_by_one_byte_of_its_pixels_is_refused(progressive):
    data = encoded(Image.effect_noise((WIDTH, HEIGHT), 90), "JPEG", progressive=progressive)
    for length in range(len(data) - 40, len(data) - 2):
        assert refusal(data[:length]).code == "incomplete"


@pytest.mark.attack("F66")
def test_a_progressive_jpeg_cut_between_two_scans_is_refused():
    data = encoded(corners(), "JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    while (at := data.find(b"\xff\xc4", at + 1)) > 0:
        assert refusal(data[:at]).code == "incomplete"


@pytest.mark.attack("F66")
@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
def test_an_animation_cut_short_is_refused(kind, undecoded):
    data = animated(kind)
    assert refusal(data[: len(data) * 2 // 3]).code == "incomplete"


def test_an_animation_without_its_end_may_lack_pixels_and_is_refused(undecoded):
    assert refusal(animated("PNG")[:-12]).code == "incomplete"


def test_pixels_missing_in_a_whole_container_are_noticed():
    packed = zlib.compress(bytes(40))
    assert refusal(png_of(WIDTH, HEIGHT, packed)).code == "unreadable"


def test_pixels_missing_with_the_end_are_what_is_incomplete():
    packed = zlib.compress(bytes(40))
    assert refusal(png_of(WIDTH, HEIGHT, packed)[:-12]).code == "incomplete"


# ---- too much --------------------------------------------------------------------------------


def png_of(width: int, height: int, packed: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def jpeg_of_size(width: int, height: int) -> bytes:
    data = plain("JPEG")
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def webp_of(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(riff(kind, body) for kind, body in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_header(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + size


def grid_of(part: Part, count: int, tile: tuple[int, int], *more: Part, links: tuple = ()) -> bytes:
    """Return a HEIC whose grid is item 1 and whose tiles, all alike, follow."""
    properties = [find_box(HEIC, b"hvcC"), extent(*tile), extent(*tile)]
    tiles = [Part(b"hvc1", find_box(HEIC, b"mdat")[8:], (0x81, 2))] * count
    parts = [replace(part, properties=(3,)), *tiles, *more]
    return built(parts, properties, [linked(b"dimg", 1, *range(2, count + 2)), *links])


LOSSLESS_HEADER = b"\x2f" + (16_383 << 14 | 16_383).to_bytes(4, "little")
GIF_PIXEL = b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\2\2\x4c\1\0"
HUGE = struct.pack(">II", 20_000, 20_000)
PIXEL_BOMBS = {
    "PNG": png_of(30_000, 30_000),
    "JPEG": jpeg_of_size(65_500, 65_500),
    "GIF screen": b"GIF89a\xff\xff\xff\xff\0\0\0" + GIF_PIXEL + b"\x3b",
    "GIF frame": b"GIF89a\1\0\1\0\0\0\0" + GIF_PIXEL.replace(b"\1\0\1\0", b"\xff" * 4) + b"\x3b",
    "WEBP": webp_of((b"VP8L", LOSSLESS_HEADER)),
    "WEBP canvas": webp_of(webp_header(16_384, 16_384), (b"VP8L", LOSSLESS_HEADER)),
    "AVIF": plain("AVIF").replace(struct.pack(">II", WIDTH, HEIGHT), HUGE),
    "HEIC": HEIC.replace(struct.pack(">II", WIDTH, HEIGHT), HUGE),
    "HEIC whose grid says more than its box": grid_of(grid(2, 2, 20_000, 20_000), 4, (128, 64)),
}


@pytest.mark.parametrize("data", PIXEL_BOMBS.values(), ids=PIXEL_BOMBS)
def test_too_many_pixels_are_refused_before_anything_is_decoded(data, undecoded):
    rejection = refusal(data)
    assert rejection.code == "too_many_pixels"
    assert rejection.facts["width"] * rejection.facts["height"] > LIMITS.max_pixels


def test_the_size_in_an_av1_stream_counts_too(undecoded):
    small = struct.pack(">II", 64, 48)
    data = plain("AVIF").replace(struct.pack(">II", WIDTH, HEIGHT), small)
    assert refusal(data, max_pixels=64 * 48).facts == {"width": WIDTH, "height": HEIGHT}


def test_an_hevc_stream_larger_than_its_box_says_is_not_decoded():
    data = HEIC.replace(struct.pack(">II", WIDTH, HEIGHT), struct.pack(">II", 16, 16))
    assert refusal(data).code == "unreadable"


@pytest.mark.parametrize("kind", ["PNG", "HEIC"])
def test_the_size_a_decoder_finds_is_checked_again(kind, monkeypatch):
    data = plain(kind)
    monkeypatch.setattr(
        containers, "clean", lambda data: replace(_cleaned(data), width=1, height=1, work_pixels=1)
    )
    assert refusal(data, max_pixels=WIDTH).code == "too_many_pixels"


def _cleaned(data: bytes, clean=containers.clean) -> containers.Cleaned:
    return clean(data)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
def test_too_many_frames_are_refused_before_anything_is_decoded(kind, undecoded):
    rejection = refusal(animated(kind, frames=4), max_frames=3)
    assert (rejection.code, rejection.facts) == ("too_many_frames", {"frames": 4})


def jpeg_of_scans(count: int) -> bytes:
    data = encoded(corners(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


TOO_MUCH_WORK = {
    "JPEG of many scans": jpeg_of_scans(20),
    "GIF of many frames": animated("GIF", frames=20),
    "WEBP of many frames": animated("WEBP", frames=20),
    "HEIC whose tiles are each as large as all": grid_of(grid(1, 20, WIDTH, HEIGHT), 20, (128, 64)),
}


@pytest.mark.parametrize("data", TOO_MUCH_WORK.values(), ids=TOO_MUCH_WORK)
def test_what_takes_too_long_to_show_is_refused_before_it_is_decoded(data, undecoded):
    assert refusal(data, max_pixels=WIDTH * HEIGHT).code == "too_much_work"


# ---- pictures built of pictures --------------------------------------------------------------


def nested_grids(depth: int) -> bytes:
    """Return grids of four grids each, layer upon layer, down to one layer of tiles."""
    layers = [[2 + 4 * layer + part for part in range(4)] for layer in range(depth)]
    tiles = [Part(b"hvc1", find_box(HEIC, b"mdat")[8:], (0x81, 2))] * 4
    inner = replace(grid(2, 2, 256, 128), properties=(2,))
    links = [linked(b"dimg", 1, *layers[0])]
    for above, below in pairwise(layers):
        links += [linked(b"dimg", item, *below) for item in above]
    properties = [find_box(HEIC, b"hvcC"), extent(WIDTH, HEIGHT)]
    return built([inner] * (1 + 4 * (depth - 1)) + tiles, properties, links)


def layers_on_layers(count: int) -> bytes:
    """Return tiles that share a chain of layers, each the transparency of the one before."""
    first = 2 + count
    layer = Part(b"hvc1", find_box(HEIC, b"mdat")[8:], (0x81, 2))
    links = [linked(b"auxl", first, *range(2, first))]
    links += [linked(b"auxl", first + step, first + step - 1) for step in range(1, count)]
    return grid_of(
        grid(1, count, WIDTH * count, HEIGHT),
        count,
        (WIDTH, HEIGHT),
        *[layer] * count,
        links=tuple(links),
    )


def built_of_itself() -> bytes:
    return grid_of(grid(1, 1, WIDTH, HEIGHT), 1, (128, 64), links=(linked(b"dimg", 2, 1),))


ENDLESS = {
    "grids of grids": nested_grids(10),
    "layers on layers": layers_on_layers(50),
    "a grid that is its own tile": built_of_itself(),
}
BUILT_OTHERWISE = {
    "an overlay": heif("HEIC", items=(*heif("HEIC").items, Item(b"iovl", bytes(20)))).build(),
    "an identity": heif("HEIC", items=(*heif("HEIC").items, Item(b"iden", b"\0"))).build(),
}


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
def test_pictures_built_of_pictures_without_end_are_not_decoded(data, undecoded):
    assert refusal(data).code == "too_complex"


@pytest.mark.parametrize("data", BUILT_OTHERWISE.values(), ids=BUILT_OTHERWISE)
def test_pictures_built_of_pictures_otherwise_than_cameras_do_are_not_decoded(data, undecoded):
    assert refusal(data).code == "unusual"


def test_a_tile_without_a_size_is_refused(undecoded):
    tile = Part(b"hvc1", find_box(HEIC, b"mdat")[8:], (0x81,))
    parts = [replace(grid(1, 1, WIDTH, HEIGHT), properties=(2,)), tile]
    properties = [find_box(HEIC, b"hvcC"), extent(WIDTH, HEIGHT)]
    assert refusal(built(parts, properties, [linked(b"dimg", 1, 2)])).code == "damaged"


@pytest.mark.parametrize("name", [b"uri ", b"application/rdf", b"urn:com:apple"])
def test_a_name_that_is_no_text_does_not_reach_the_decoder(name):
    """pi_heif 1.4 makes a str of it, and ends the process if it cannot."""
    assert name in phone_heic()
    data = phone_heic().replace(name, b"\xd0" + name[1:])
    assert take_in(data, keep_details=False, limits=LIMITS).format == "HEIC"


# ---- what does not add up --------------------------------------------------------------------


def jpeg_of_two_headers() -> bytes:
    data = plain("JPEG")
    at = data.index(b"\xff\xc0")
    return data[:at] + data[at : at + 19] + data[at:]


def details_over_picture() -> bytes:
    """Return a HEIC whose second item, of details, lies where the picture does."""
    items = (*heif("HEIC").items, Item(b"mime", xmp(), b"", b"application/rdf+xml"))
    data = heif("HEIC", items=items).build()
    last_offset = data.index(find_box(data, b"iloc")) + len(find_box(data, b"iloc")) - 8
    picture = data.index(find_box(data, b"mdat")) + 8
    return data[:last_offset] + struct.pack(">I", picture) + data[last_offset + 4 :]


def png_with(*chunks: bytes, at: int = 33) -> bytes:
    data = plain("PNG")
    return data[:at] + b"".join(chunks) + data[at:]


CONTRADICTIONS = {
    "JPEG of two frame headers": jpeg_of_two_headers(),
    "JPEG without a scan": b"\xff\xd8" + segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0") + b"\xff\xd9",
    "PNG of two headers": png_with(plain("PNG")[8:33]),
    "PNG with a false checksum": plain("PNG").replace(b"IDATx", b"IDATX", 1),
    "PNG with a longer header than its fields": plain("PNG").replace(
        plain("PNG")[8:33], chunk(b"IHDR", plain("PNG")[16:29] + b"more")
    ),
    "PNG whose white has no light": png_with(
        chunk(b"gAMA", struct.pack(">I", 45_455)),
        chunk(
            b"cHRM", struct.pack(">8I", 31_270, 0, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
        ),
    ),
    "PNG with a palette behind its pixels": png_with(chunk(b"PLTE", bytes(3)), at=-12),
    "APNG with a frame beyond its canvas": png_with(
        chunk(b"acTL", struct.pack(">II", 1, 0)),
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 1, 0, 1, 1, 0, 0)),
    ),
    "GIF of no picture": b"GIF89a\1\0\1\0\0\0\0\x3b",
    "GIF with another control block": plain("GIF")[:-1] + b"\x21\xf9\x03abc\0;",
    "WEBP smaller than its canvas": webp_of(webp_header(9, 9), (b"VP8L", LOSSLESS_HEADER)),
    "WEBP of two pictures": webp_of(
        webp_header(WIDTH, HEIGHT), (b"VP8 ", plain("WEBP")[20:]), (b"VP8L", LOSSLESS_HEADER)
    ),
    "WEBP with a frame beyond its canvas": animated("WEBP")[:24] + b"\1" + animated("WEBP")[25:],
    "HEIC whose details lie over its picture": details_over_picture(),
    "HEIC of two meta boxes": HEIC + find_box(HEIC, b"meta"),
}


@pytest.mark.attack("F69")
@pytest.mark.parametrize("data", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_does_not_add_up_is_refused_as_damaged(data, undecoded):
    assert refusal(data).code == "damaged"


UNUSUAL = {
    "JPEG of another kind": plain("JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1),
    "PNG with a critical chunk nobody knows": png_with(chunk(b"CANA", b"")),
    "HEIC whose picture lies in another file": heif("HEIC")
    .build()
    .replace(struct.pack(">HHHI", 1, 0, 0, 0), struct.pack(">HHHI", 1, 0, 1, 0)),
}


@pytest.mark.attack("F69")
@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_what_may_be_in_order_and_is_not_taken_says_so(data, undecoded):
    assert refusal(data).code == "unusual"


def test_tables_longer_than_any_pictures_are_not_read(undecoded):
    long = linked(b"cdsc", 2, *[1] * 60_000)
    assert (
        refusal(grid_of(grid(1, 1, WIDTH, HEIGHT), 1, (128, 64), links=(long,) * 9)).code
        == "too_complex"
    )


EMPTY_PARTS = {
    "JPEG": plain("JPEG")[:2] + segment(0xFE, b"") * 250_001 + plain("JPEG")[2:],
    "HEIC": HEIC + box(b"free") * 250_001,
}


@pytest.mark.parametrize("data", EMPTY_PARTS.values(), ids=EMPTY_PARTS)
def test_more_parts_than_any_picture_has_are_not_read(data, undecoded):
    assert refusal(data).code == "too_complex"


@pytest.mark.attack("E8")
@pytest.mark.parametrize("appended", [b"PK\3\4Canary-zip-7f3a", b"<script>Canary-html-7f3a"])
@pytest.mark.parametrize("kind", FORMATS)
def test_of_a_file_that_is_two_only_the_picture_stays(kind, appended):
    alone, both = (
        take_in(data, keep_details=False, limits=LIMITS)
        for data in (plain(kind), plain(kind) + appended)
    )
    assert both.original == alone.original
    assert both.removed == ("trailing-bytes",)


# ---- decoders --------------------------------------------------------------------------------


def test_one_decoder_is_asked_and_no_other_of_pillows_forty(monkeypatch):
    asked = []

    def opened(*_args: object, formats: tuple[str, ...]) -> None:
        asked.append(formats)
        raise OSError

    monkeypatch.setattr(Image, "open", opened)
    refusal(plain("WEBP"))
    assert set(asked) == {("WEBP",)}


@pytest.mark.parametrize("error", [MemoryError, ValueError, OSError, Image.DecompressionBombError])
def test_whatever_a_decoder_raises_is_one_refusal(error, monkeypatch):
    def opened(*_args: object, **_options: object) -> None:
        raise error("Canary")

    monkeypatch.setattr(Image, "open", opened)
    rejection = refusal(plain("PNG"))
    assert (rejection.code, rejection.__cause__) == ("unreadable", None)


@pytest.mark.attack("F69")
def test_every_refusal_has_a_sentence_of_its_own():
    sentences = set()
    for code in CODES:
        rejection = PictureRejected(code, size=3 * 2**20, width=7, height=8, frames=9)
        sentences.add(rejections.sentence_for(rejection, "100%.jpg", LIMITS))
    assert len(sentences) == len(CODES)
    assert all("100%.jpg" in sentence for sentence in sentences)
    assert sum("incomplete" in sentence for sentence in sentences) == 1
