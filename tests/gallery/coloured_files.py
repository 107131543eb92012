"""Pictures that say their colours in every way a file may, for comparing what is shown of them."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image

from gallery.containers import colours, icc
from tests.gallery.picture_files import (
    Heif,
    Item,
    box,
    chunk,
    encoded,
    find_box,
    profile,
    tiff,
)

CELL, COLUMNS, ROWS = 32, 6, 4
SIZE = (CELL * COLUMNS, CELL * ROWS)
PATCHES = (
    "#000000", "#404040", "#808080", "#c0c0c0", "#ffffff", "#101010",
    "#ff0000", "#00ff00", "#0000ff", "#00ffff", "#ff00ff", "#ffff00",
    "#804020", "#208040", "#402080", "#e0a080", "#80e0a0", "#a080e0",
    "#301008", "#083010", "#100830", "#ff8033", "#33cc4d", "#1a33e6",
)  # fmt: skip


@cache
def patches(mode: str = "RGB") -> Image.Image:
    """Return a picture of greys, pure colours, muted, dark and bright ones."""
    picture = Image.new("RGB", SIZE)
    for index, patch in enumerate(PATCHES):
        left, top = index % COLUMNS * CELL, index // COLUMNS * CELL
        picture.paste(patch, (left, top, left + CELL, top + CELL))
    if mode in ("RGBA", "LA"):
        picture.putalpha(Image.linear_gradient("L").rotate(90).resize(SIZE))
    return picture.quantize(64) if mode == "P" else picture.convert(mode)


def profile_for(primaries: int, transfer: int) -> bytes:
    return colours._profile(colours.PRIMARIES[primaries], colours.TRANSFERS[transfer])


def grey_profile() -> bytes:
    """Return a profile for grey whose curve is light itself."""
    header = bytearray(128)
    header[8:24], header[36:40] = b"\2\x10\0\0mntrGRAYXYZ ", b"acsp"
    header[68:80] = struct.pack(">III", 63_190, 65_536, 54_061)
    white = b"XYZ \0\0\0\0" + header[68:80]
    return icc.written(header, {b"wtpt": bytes(white), b"kTRC": b"curv" + bytes(8)})


def profile_of_names(primaries: int, transfer: int) -> bytes:
    """Return a profile of version 4.4 that also says its colours by number (`cicp`)."""
    plain = profile_for(primaries if primaries in colours.PRIMARIES else 1, 13)
    header = bytearray(plain[:128])
    header[8:10] = b"\4\x40"
    tags = {**icc._tags(plain), b"cicp": b"cicp\0\0\0\0" + bytes([primaries, transfer, 0, 1])}
    return icc.written(header, tags)


# ---- PNG -------------------------------------------------------------------------------------


def gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def chromaticities(*values: int) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *values))


def names(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, full_range]))


def profile_chunk(body: bytes) -> bytes:
    return chunk(b"iCCP", b"name\0\0" + zlib.compress(body))


def brightest(nits: int) -> bytes:
    return chunk(b"cLLI", struct.pack(">II", nits * 10_000, nits * 2_500))


def mastered(nits: int) -> bytes:
    places = (35_400, 14_600, 8_500, 39_850, 6_550, 2_300, 15_635, 16_450)
    return chunk(b"mDCV", struct.pack(">8HII", *places, nits * 10_000, 50))


WIDE = (31_270, 32_900, 70_800, 29_200, 17_000, 79_700, 13_100, 4_600)
SRGB_PLACES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
IN_ONE_LINE = (31_270, 32_900, 10_000, 10_000, 20_000, 20_000, 30_000, 30_000)
SRGB = chunk(b"sRGB", b"\0")
SWAPPED = profile_chunk(profile())

SAID = {
    "nothing": b"",
    **{f"gamma {value}": gamma(value) for value in (0, 1, 15_000, 20_000, 45_455, 45_000, 47_619)},
    **{f"gamma {value}": gamma(value) for value in (50_000, 55_556, 100_000, 200_000, 500_000)},
    "places alone": chromaticities(*WIDE),
    "gamma, wide": gamma(45_455) + chromaticities(*WIDE),
    "wide, another gamma": chromaticities(*WIDE) + gamma(100_000),
    "gamma, places of sRGB": gamma(47_619) + chromaticities(*SRGB_PLACES),
    "gamma, places in one line": gamma(100_000) + chromaticities(*IN_ONE_LINE),
    "sRGB, gamma, wide": SRGB + gamma(100_000) + chromaticities(*WIDE),
    "gamma, wide, sRGB": gamma(100_000) + chromaticities(*WIDE) + SRGB,
    "two gammas": gamma(100_000) + gamma(20_000),
    "profile": SWAPPED,
    "profile, gamma": SWAPPED + gamma(100_000),
    "sRGB, profile": SRGB + SWAPPED,
    "profile that is none, gamma": chunk(b"iCCP", b"n\0\0" + zlib.compress(b"x" * 300))
    + gamma(100_000),
    "profile that does not inflate": chunk(b"iCCP", b"n\0\0" + b"x" * 40) + gamma(100_000),
    "names, profile": names(9, 13) + SWAPPED,
    "profile, names": SWAPPED + names(9, 13),
    "names of another matrix, profile": SWAPPED + names(9, 13, 0, 0),
    "names nobody knows, profile": names(9, 2) + SWAPPED,
    "names nobody knows, gamma": names(3, 13) + gamma(100_000),
    "profile of names": profile_chunk(profile_of_names(9, 13)),
    "profile of names, PQ": profile_chunk(profile_of_names(9, 16)),
    **{f"primaries {code}": names(code, 13) for code in colours.PRIMARIES},
    **{f"transfer {code}": names(1, code) for code in sorted(colours.KNOWN_TRANSFERS)},
    "profile of P3": profile_chunk(profile_for(12, 13)),
    "profile of BT.2020": profile_chunk(profile_for(9, 1)),
    "profile of a cinema": profile_chunk(profile_for(11, 17)),
    "PQ": names(9, 16),
    "PQ of P3": names(12, 16),
    "HLG": names(9, 18),
    "HLG of P3": names(12, 18),
    **{f"PQ up to {nits}": names(9, 16) + brightest(nits) for nits in (203, 400, 1_000, 4_000)},
    "PQ made on 4000": names(9, 16) + mastered(4_000),
    "PQ made on 4000, up to 400": names(9, 16) + mastered(4_000) + brightest(400),
    "HLG up to 400": names(9, 18) + brightest(400),
}  # fmt: skip


def png(said: bytes, mode: str = "RGB", late: bytes = b"", **options: object) -> bytes:
    data = encoded(patches(mode), "PNG", **options)
    return data[:33] + said + data[33:-12] + late + data[-12:]


def deep_png(said: bytes) -> bytes:
    """Return a PNG of 16 bits a channel."""
    rows = (patches().crop((0, y, SIZE[0], y + 1)).tobytes() for y in range(SIZE[1]))
    packed = zlib.compress(b"".join(b"\0" + _doubled(row) for row in rows))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0))
    end = chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + said + end


def _doubled(row: bytes) -> bytes:
    return bytes(value for byte in row for value in (byte, byte))


def pngs() -> Iterator[tuple[str, bytes]]:
    for name, said in SAID.items():
        yield f"PNG, {name}", png(said)
    for mode in ("L", "LA", "P", "RGBA", "1"):
        for name in ("nothing", "gamma 100000", "gamma, wide", "profile", "primaries 9", "PQ"):
            yield f"PNG {mode}, {name}", png(SAID[name], mode)
    for name in ("nothing", "gamma 100000", "profile", "PQ"):
        yield f"PNG of 16 bits, {name}", deep_png(SAID[name])
    yield "PNG grey, grey profile", png(profile_chunk(grey_profile()), "L")
    yield "PNG in colours, grey profile", png(profile_chunk(grey_profile()))
    for name in ("gamma 100000", "profile", "primaries 9"):
        yield f"PNG, {name} behind the pixels", png(b"", late=SAID[name])
    plain = encoded(patches("P"), "PNG")
    at = plain.index(b"IDAT") - 4
    for name in ("gamma 100000", "profile", "primaries 9"):
        yield f"PNG P, {name} behind the palette", plain[:at] + SAID[name] + plain[at:]
    yield "PNG P, one colour transparent", png(b"", "P", transparency=1)
    yield "PNG L, one grey transparent", png(b"", "L", transparency=128)
    yield "PNG RGB, one colour transparent", png(b"", transparency=(255, 0, 0))


# ---- JPEG, WebP, GIF -------------------------------------------------------------------------

PROFILES = {
    "no profile": None,
    "profile": profile(),
    "profile of P3": profile_for(12, 13),
    "profile of BT.2020": profile_for(9, 1),
    "profile of names": profile_of_names(12, 13),
    "profile of names, PQ": profile_of_names(9, 16),
    "grey profile": grey_profile(),
    "profile that is none": b"x" * 300,
    "profile cut short": profile()[:-200],
}


def others() -> Iterator[tuple[str, bytes]]:
    for name, body in PROFILES.items():
        given = {"icc_profile": body} if body else {}
        for mode in ("RGB", "L", "CMYK"):
            yield f"JPEG {mode}, {name}", encoded(patches(mode), "JPEG", quality=95, **given)
        for mode in ("RGB", "RGBA"):
            yield f"WEBP {mode}, {name}", encoded(patches(mode), "WEBP", lossless=True, **given)
        yield f"WEBP lossy, {name}", encoded(patches(), "WEBP", quality=95, **given)
    yield "JPEG in RGB", encoded(patches(), "JPEG", quality=95, keep_rgb=True)
    yield "GIF", encoded(patches("P"), "GIF")
    yield "GIF, one colour transparent", encoded(patches("P"), "GIF", transparency=1)
    for orientation in range(1, 9):
        for kind in ("JPEG", "PNG", "WEBP"):
            block = b"Exif\0\0" + tiff(orientation=orientation)
            yield f"{kind}, turned {orientation}", encoded(patches(), kind, exif=block)


# ---- AVIF ------------------------------------------------------------------------------------


def colour_box(primaries: int, transfer: int, matrix: int = 6) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80))


def avif(*properties: bytes, mode: str = "RGB") -> bytes:
    data = encoded(patches(mode), "AVIF", quality=95, subsampling="4:4:4")
    kept = [find_box(data, kind) for kind in (b"av1C", b"pixi")]
    picture = Item(b"av01", find_box(data, b"mdat")[8:])
    return Heif(b"avif", (picture,), (*kept, *properties), size=SIZE).build()


def avifs() -> Iterator[tuple[str, bytes]]:
    codes = [(primaries, 13) for primaries in (0, 2, 3, *colours.PRIMARIES)]
    # Chromium refuses an AVIF of 9 to 12: they say light without a black.
    codes += [(1, transfer) for transfer in (0, 2, 3, *colours.KNOWN_TRANSFERS - {11})]
    codes += [(2, 2), (9, 14), (9, 2), (2, 8), (6, 6), (9, 16), (12, 16), (9, 18), (12, 18)]
    for code in codes:
        yield f"AVIF, {code}", avif(colour_box(*code))
    yield "AVIF, nothing", avif()
    for nits in (400, 4_000):
        level = box(b"clli", struct.pack(">HH", nits, nits // 4))
        yield f"AVIF, PQ up to {nits}", avif(colour_box(9, 16), level)
    swapped = box(b"colr", b"prof", profile())
    yield "AVIF, profile", avif(swapped)
    yield "AVIF, profile and names", avif(swapped, colour_box(9, 13))
    yield "AVIF, names and profile", avif(colour_box(9, 16), swapped)
    yield "AVIF, profile of names, PQ", avif(box(b"colr", b"prof", profile_of_names(9, 16)))
    for mode in ("L", "RGBA"):
        yield f"AVIF {mode}", encoded(patches(mode), "AVIF", quality=95, subsampling="4:4:4")
        yield (
            f"AVIF {mode}, profile",
            encoded(patches(mode), "AVIF", quality=95, subsampling="4:4:4", icc_profile=profile()),
        )


def coloured() -> dict[str, bytes]:
    return {**dict(pngs()), **dict(others()), **dict(avifs())}
