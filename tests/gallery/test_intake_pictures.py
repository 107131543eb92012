"""Pictures for the tests of intake, each with something hidden wherever its format has room.

They are built from Pillow and bytes. What is hidden contains CANARY.
"""

import base64
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from gallery.intake import Limits

LIMITS = Limits(max_bytes=60_000_000, max_pixels=64_000_000, max_frames=500)
WIDTH, HEIGHT = 64, 48
CANARY = b"CANARY"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">CANARY-XMP exif:GPSLatitude="1"</x:xmpmeta>'


def quarters(mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Return a picture that looks different in each of the eight orientations."""
    image = Image.new("RGB", size, "teal")
    image.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    image.paste("yellow", (size[0] // 2, size[1] // 2, *size))
    return image.convert(mode)


def frames() -> list[Image.Image]:
    return [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "lime", "blue")]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def animated(kind: str, **options: object) -> bytes:
    first, *rest = frames()
    return saved(first, kind, save_all=True, append_images=rest, duration=90, loop=0, **options)


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> bytes:
    block = Image.Exif()
    block[0x010F], block[0x0112] = "CANARY-MAKE", orientation
    details = block.get_ifd(0x8769)
    details[0x9003] = "2024:05:06 07:08:09"
    details[0x9286] = b"ASCII\0\0\0CANARY-USER-COMMENT"
    details[0x927C] = b"CANARY-MAKER-NOTE"
    block.get_ifd(0x8825)[29] = "CANARY-GPS"
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes()


# ---- JPEG ------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def plain_jpeg(**options: object) -> bytes:
    return saved(quarters(), "JPEG", quality=90, **options)


def jpeg(orientation: int = 1, **options: object) -> bytes:
    """Return a JPEG with details in every segment that can hold some, and after its end."""
    data = plain_jpeg(icc_profile=profile(), **options)
    jfif_end = 4 + int.from_bytes(data[4:6], "big")
    hidden = [
        segment(0xE0, b"JFXX\0\x10CANARY-JFXX"),
        segment(0xE1, exif(orientation)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        segment(0xE2, b"MPF\0CANARY-MPF"),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0eCANARY-CAPTION"),
        *(segment(marker, b"CANARY-APP") for marker in (*range(0xE3, 0xED), 0xEE, 0xEF)),
        segment(0xFE, b"CANARY-COMMENT"),
    ]
    jfif = segment(0xE0, data[6:18] + b"\x02\x01CANARY")
    return data[:2] + jfif + b"".join(hidden) + data[jfif_end:] + plain_jpeg() + b"CANARY-AFTER"


# ---- PNG -------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 8, []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png(orientation: int = 1, data: bytes = b"") -> bytes:
    """Return a PNG with every chunk that holds details, before and behind its pixels."""
    (_, header), *rest = png_chunks(data or saved(quarters(), "PNG"))
    before = [
        chunk(b"iCCP", b"CANARY-PROFILE\0\0" + zlib.compress(profile())),
        chunk(b"eXIf", exif(orientation)[6:]),
        chunk(b"tEXt", b"Comment\0CANARY-TEXT"),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"CANARY-ZTXT")),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        chunk(b"tIME", b"\x07\xe8\5\6\7\x08\x09CANARY"),
        chunk(b"caNa", "CANARY".encode("utf-16-le")),
    ]
    pixels = [chunk(kind, body) for kind, body in rest[:-1]]
    behind = chunk(b"tEXt", b"Comment\0CANARY-BEHIND") + chunk(b"IEND", b"") + b"CANARY-AFTER"
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + b"".join(before + pixels) + behind


# ---- GIF -------------------------------------------------------------------------------------


def gif(data: bytes = b"") -> bytes:
    data = data or saved(quarters(), "GIF")
    screen = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    hidden = (
        b"\x21\xfe\x0eCANARY-COMMENT\0"
        b"\x21\xff\x0bXMP DataXMP\x0aCANARY-XMP\0"
        b"\x21\xff\x0bCANARYAPP10\x0aCANARY-APP\0"
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\x0bCANARY-LOOP\0"
        b"\x21\x01\x0c" + bytes(12) + b"\x0bCANARY-TEXT\0"
    )
    return data[:screen] + hidden + data[screen:-1] + hidden[:18] + b"\x3bCANARY-AFTER"


# ---- WebP ------------------------------------------------------------------------------------


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"C"[: len(body) & 1]


def riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 12, []
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found


def webp_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(riff(kind, body) for kind, body in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp(orientation: int = 1, data: bytes = b"", **options: object) -> bytes:
    options |= {"icc_profile": profile(), "exif": exif(orientation), "xmp": XMP}
    chunks = riff_chunks(data or saved(quarters(), "WEBP", **options))
    return webp_of([*chunks, (b"cana", b"CANARY-CHUNK")]) + b"CANARY-AFTER"


# ---- HEIC and AVIF ---------------------------------------------------------------------------

# Made by heif-enc 1.15 from `quarters` with details in every item: Exif, XMP, and a thumbnail.
HEIC = base64.b64decode(
    "AAAAKGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZm1pZjFoZWljbWlhZgAAA1htZXRhAAAAAAAAACFoZGxyAAAAAAAA"
    "AABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAGGlkYXQAAAAAAEAAMAAAAAAAIAAYAAAAiGlsb2MB"
    "AAAAREAABgABAAAAAAAAA4gAAQAAAAAAAABIAAIAAQAAAAAAAAABAAAAAAAAAAgAAwAAAAAAAAPQAAEAAAAAAAAA"
    "wAAEAAAAAAAABJAAAQAAAAAAAAA6AAUAAAAAAAAEygABAAAAAAAAAEoABgABAAAAAAAAAAEAAAAIAAAACAAAAKFp"
    "aW5mAAAAAAAGAAAAFWluZmUCAAABAAEAAGh2YzEAAAAAFWluZmUCAAAAAAIAAGdyaWQAAAAAFWluZmUCAAABAAMA"
    "AEV4aWYAAAAAKmluZmUCAAABAAQAAG1pbWUAYXBwbGljYXRpb24vcmRmK3htbAAAAAAAFWluZmUCAAABAAUAAGh2"
    "YzEAAAAAFWluZmUCAAAAAAYAAGdyaWQAAAABimlwcnAAAAFeaXBjbwAAAHNodmNDAQNwAAAAAAAAAAAAHvAA/P34"
    "+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQAnQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5"
    "sCAAAAMAIAAAAwAhIgABAAZEAcFzwIkAAAAUaXNwZQAAAAAAAABAAAAAQAAAABRpc3BlAAAAAAAAAEAAAAAwAAAA"
    "EHBpeGkAAAAAAwgICAAAAHNodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQCEAAQAnQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprmwIAAAAMAgAAAAwCEIgABAAZEAcFzwYkAAAAU"
    "aXNwZQAAAAAAAABAAAAAQAAAABRpc3BlAAAAAAAAACAAAAAYAAAAEHBpeGkAAAAAAwgICAAAACRpcG1hAAAAAAAA"
    "AAQAAQKBAgACAgOEAAUChQYABgIHiAAAAFJpcmVmAAAAAAAAAA5kaW1nAAIAAQABAAAADmNkc2MAAwABAAIAAAAO"
    "Y2RzYwAEAAEAAgAAAA5kaW1nAAYAAQAFAAAADnRobWIABgABAAIAAAGUbWRhdAAAAEQoAa8EGO0ZsY1SR+Nv1GVN"
    "o7LjFci6L3xpOt9gHfz6ugo9IIdCVlLxQ9z5ajjZuwgsbd6lEutwPwFRE9/QRj4wbhJCIAAAAABNTQAqAAAACAAE"
    "AQ8AAgAAAAwAAAA+ARIAAwAAAAEABQAAh2kABAAAAAEAAABKiCUABAAAAAEAAACSAAAAAENBTkFSWS1NQUtFAAAC"
    "kAMAAgAAABQAAABokoYAAQAAABYAAAB8AAAAADIwMjQ6MDU6MDYgMDc6MDg6MDkAQVNDSUkAAABDQU5BUlktQ09N"
    "TUVOVAACAAEAAgAAAAJOAAAAAB0AAgAAAAsAAACwAAAAAENBTkFSWS1HUFMAADx4OnhtcG1ldGEgeG1sbnM6eD0i"
    "YWRvYmU6bnM6bWV0YS8iPkNBTkFSWS1YTVA8L3g6eG1wbWV0YT4AAABGKAGvBBIX1CT46dK+ZajEvL4UM1lWmR7E"
    "rPtPtRTHnZ9sK4bk0fCIzAeRUe7E1ui9TvYIA8VMYWBTOWpQsv4pe6isYMVrgA=="
)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def avif(orientation: int = 1, **options: object) -> bytes:
    """Return an AVIF with details as items, in boxes, and where no box refers to."""
    options = {"icc_profile": profile(), **options}
    data = saved(quarters(), "AVIF", exif=exif(orientation), xmp=XMP, **options)
    hidden = [box(kind, CANARY) for kind in (b"free", b"skip", b"uuid", b"udta", b"mdat")]
    return data + b"".join(hidden)


def heic() -> bytes:
    return HEIC + box(b"free", b"CANARY-FREE") + box(b"mdat", b"CANARY-UNREFERENCED")


SAMPLES: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG progressive": lambda: jpeg(progressive=True),
    "PNG": png,
    "PNG animated": lambda: png(data=animated("PNG")),
    "GIF": gif,
    "GIF animated": lambda: gif(animated("GIF", disposal=2)),
    "WEBP": webp,
    "WEBP lossless": lambda: webp(lossless=True),
    "WEBP animated": lambda: webp(data=animated("WEBP", exif=exif(), xmp=XMP)),
    "AVIF": avif,
    "AVIF animated": lambda: animated("AVIF"),
    "HEIC": heic,
}
each_format = pytest.mark.parametrize("data", [build() for build in SAMPLES.values()], ids=SAMPLES)
