"""A dozen pictures painted on the spot, so that a demonstration needs nobody's photographs.

Each is a JPEG as a camera writes it: with a place, a device and a time in its EXIF, so that their
removal can be seen.
"""

import io
import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1600, 1066
SIZE = (WIDTH, HEIGHT)
GRAIN = 6  # of a sensor in good light

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Painted:
    """One picture: file name, caption, and the bytes of a JPEG."""

    file_name: str
    caption: str
    jpeg: bytes


def paint_all() -> Iterator[Painted]:
    for number, (caption, paint) in enumerate(SCENES.items(), start=1):
        chance = random.Random(number)  # noqa: S311 — the same every time, and nothing secret
        noise = Image.effect_noise(SIZE, GRAIN)
        grain = Image.merge("RGB", (noise, noise, noise))
        picture = ImageChops.overlay(paint(chance), grain)
        yield Painted(f"IMG_{4200 + number}.jpg", caption, _as_from_a_camera(picture, number))


def _as_from_a_camera(picture: Image.Image, number: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Example", "Camera 7"
    exif[ExifTags.Base.DateTime] = f"2026:09:{number:02} 07:30:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (47.0, 22.0, 41.0), 3: "E", 4: (8.0, 32.0, 28.0)}
    )
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88, exif=exif)
    return file.getvalue()


# ---- brushes ---------------------------------------------------------------------------------


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    mask = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), mask)


def _ridge(
    chance: random.Random, level: float, height: float, roughness: float
) -> list[tuple[float, float]]:
    """Return a skyline by midpoint displacement, from the left edge to the right."""
    heights = [chance.uniform(0, 1), chance.uniform(0, 1)]
    spread = 0.6
    while len(heights) < 400:
        middles = [
            (a + b) / 2 + chance.uniform(-spread, spread) for a, b in itertools.pairwise(heights)
        ]
        heights = [*(h for pair in zip(heights, middles, strict=False) for h in pair), heights[-1]]
        spread *= roughness
    step = WIDTH / (len(heights) - 1)
    return [(i * step, HEIGHT * (level - height * h)) for i, h in enumerate(heights)]


def _fill_below(picture: Image.Image, line: list[tuple[float, float]], colour: Colour) -> None:
    ImageDraw.Draw(picture).polygon([(0, HEIGHT), *line, (WIDTH, HEIGHT)], fill=colour)


def _glow(picture: Image.Image, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    light = Image.new("RGB", SIZE)
    x, y = centre
    ImageDraw.Draw(light).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    for blur in (radius * 2, radius // 3):
        picture.paste(ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(blur))))


def _mix(near: Colour, far: Colour, share: float) -> Colour:
    red, green, blue = (round(n + (f - n) * share) for n, f in zip(near, far, strict=True))
    return red, green, blue


# ---- scenes ----------------------------------------------------------------------------------


def _layers(
    chance: random.Random, sky: Image.Image, near: Colour, far: Colour, roughness: float
) -> Image.Image:
    """Paint five ridges, each nearer and darker than the one behind it."""
    for layer in range(5):
        line = _ridge(chance, 0.55 + layer * 0.11, 0.22 - layer * 0.02, roughness)
        _fill_below(sky, line, _mix(near, far, 1 - layer / 4))
    return sky


def _dawn(chance: random.Random) -> Image.Image:
    sky = _gradient((70, 96, 140), (250, 196, 150))
    _glow(sky, (1100, 520), 60, (255, 230, 190))
    return _layers(chance, sky, (24, 34, 52), (150, 140, 165), 0.52)


def _fog(chance: random.Random) -> Image.Image:
    return _layers(
        chance, _gradient((196, 206, 208), (232, 232, 226)), (38, 54, 50), (190, 202, 202), 0.72
    )


def _dunes(chance: random.Random) -> Image.Image:
    sky = _gradient((98, 150, 196), (236, 214, 180))
    return _layers(chance, sky, (146, 86, 44), (230, 186, 134), 0.38)


def _lake(chance: random.Random) -> Image.Image:
    picture = _dawn(chance)
    shore = round(HEIGHT * 0.6)
    mirrored = picture.crop((0, 2 * shore - HEIGHT, WIDTH, shore)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    mirrored = mirrored.filter(ImageFilter.BoxBlur(6))
    picture.paste(
        Image.blend(mirrored, Image.new("RGB", mirrored.size, (40, 60, 84)), 0.25), (0, shore)
    )
    return picture


def _night(chance: random.Random) -> Image.Image:
    picture = _gradient((6, 10, 26), (30, 40, 66))
    draw = ImageDraw.Draw(picture)
    for _ in range(900):
        x, y, shade = chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(90, 255)
        draw.point((x, y), fill=(shade, shade, shade))
    _glow(picture, (1240, 240), 46, (235, 235, 215))
    _fill_below(picture, _ridge(chance, 0.92, 0.2, 0.6), (4, 7, 14))
    return picture


def _city(chance: random.Random) -> Image.Image:
    picture = _gradient((28, 30, 62), (214, 120, 96))
    draw, left = ImageDraw.Draw(picture), 0
    while left < WIDTH:
        width, top = chance.randrange(70, 170), chance.randrange(260, 760)
        draw.rectangle((left, top, left + width, HEIGHT), fill=(16, 18, 30))
        for x in range(left + 12, left + width - 14, 22):
            for y in range(top + 16, HEIGHT - 20, 30):
                if chance.random() < 0.4:
                    draw.rectangle((x, y, x + 9, y + 14), fill=(244, 206, 128))
        left += width + chance.randrange(0, 14)
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def _sea(chance: random.Random) -> Image.Image:
    picture = _gradient((120, 176, 220), (214, 232, 240))
    horizon = round(HEIGHT * 0.58)
    draw = ImageDraw.Draw(picture)
    for y in range(horizon, HEIGHT):
        share = (y - horizon) / (HEIGHT - horizon)
        draw.line((0, y, WIDTH, y), fill=_mix((120, 168, 186), (14, 66, 92), share))
    for _ in range(1400):
        y = chance.randrange(horizon, HEIGHT)
        length = 4 + (y - horizon) // 9
        x = chance.randrange(WIDTH)
        draw.line((x, y, x + length, y), fill=(206, 226, 232), width=1 + (y - horizon) // 220)
    draw.polygon([(1010, 610), (1010, 380), (1130, 600)], fill=(250, 248, 240))
    draw.polygon([(1000, 605), (1000, 420), (930, 600)], fill=(236, 230, 220))
    draw.polygon([(920, 620), (1150, 620), (1115, 662), (950, 662)], fill=(120, 36, 40))
    return picture


def _xray(chance: random.Random) -> Image.Image:
    picture = Image.new("L", SIZE, 12)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((330, 60, 1270, 1200), fill=96)
    for side in (-1, 1):
        draw.ellipse((800 + side * 215 - 165, 190, 800 + side * 215 + 165, 880), fill=34)
    draw.rounded_rectangle((765, 60, 835, HEIGHT), 30, fill=170)
    draw.ellipse((700, 520, 1000, 860), fill=140)
    for rib in range(9):
        for side in (-1, 1):
            x, y = 800 + side * 220, 190 + rib * 78
            box = (x - 230, y - 60, x + 230, y + 130)
            draw.arc(box, 190, 350, fill=150 - rib * 5, width=17)
    return picture.filter(ImageFilter.GaussianBlur(9)).convert("RGB")


def _letter(chance: random.Random) -> Image.Image:
    picture = _gradient((92, 74, 58), (70, 56, 44))
    paper = Image.new("RGB", (760, 1000), (246, 243, 234))
    draw = ImageDraw.Draw(paper)
    draw.rectangle((80, 90, 380, 112), fill=(40, 44, 52))
    for line in range(24):
        end = chance.randrange(540, 680) if line % 6 else 380
        draw.rectangle((80, 190 + line * 28, end, 198 + line * 28), fill=(96, 98, 104))
    draw.ellipse((500, 860, 620, 960), outline=(150, 30, 40), width=6)
    turned = paper.rotate(3, expand=True, fillcolor=(84, 68, 54), resample=Image.Resampling.BICUBIC)
    picture.paste(turned, (410, 30))
    return picture


def _flower(chance: random.Random) -> Image.Image:
    picture = _gradient((30, 70, 48), (12, 40, 30)).filter(ImageFilter.GaussianBlur(4))
    draw, (x, y) = ImageDraw.Draw(picture), (820, 540)
    for ring, (reach, colour) in enumerate(
        [(430, (214, 96, 124)), (320, (232, 132, 150)), (210, (244, 176, 180))]
    ):
        for petal in range(11):
            angle = math.tau * (petal + ring / 2) / 11
            cx, cy = x + math.cos(angle) * reach * 0.55, y + math.sin(angle) * reach * 0.55
            draw.ellipse(
                (cx - reach / 3, cy - reach / 3, cx + reach / 3, cy + reach / 3), fill=colour
            )
    draw.ellipse((x - 90, y - 90, x + 90, y + 90), fill=(240, 196, 80))
    return picture.filter(ImageFilter.GaussianBlur(3))


def _cells(chance: random.Random) -> Image.Image:
    picture = _gradient((236, 214, 226), (226, 200, 218))
    draw = ImageDraw.Draw(picture)
    for _ in range(260):
        x, y, r = chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(26, 60)
        draw.ellipse(
            (x - r, y - r, x + r, y + r), fill=(222, 158, 190), outline=(180, 96, 140), width=3
        )
        draw.ellipse((x - r / 3, y - r / 3, x + r / 3, y + r / 3), fill=(104, 58, 132))
    return picture.filter(ImageFilter.GaussianBlur(2))


def _plan(chance: random.Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, (24, 58, 104))
    draw = ImageDraw.Draw(picture)
    for x in range(0, WIDTH, 40):
        draw.line((x, 0, x, HEIGHT), fill=(44, 82, 132))
    for y in range(0, HEIGHT, 40):
        draw.line((0, y, WIDTH, y), fill=(44, 82, 132))
    rooms = [
        (160, 160, 700, 560),
        (700, 160, 1180, 420),
        (700, 420, 1180, 900),
        (160, 560, 700, 900),
    ]
    for room in [*rooms, (1180, 300, 1440, 900)]:
        draw.rectangle(room, outline=(232, 240, 250), width=7)
    for x, y in ((430, 560), (700, 300), (940, 420), (1180, 640)):
        draw.pieslice((x - 60, y - 60, x + 60, y + 60), 0, 90, outline=(232, 240, 250), width=4)
    return picture


SCENES: dict[str, Callable[[random.Random], Image.Image]] = {
    "The lake before anybody was up": _lake,
    "First light from the ridge": _dawn,
    "Fog over the valley": _fog,
    "The dunes, second day": _dunes,
    "Out past the breakwater": _sea,
    "From the roof, nine in the evening": _city,
    "No lamps for forty miles": _night,
    "Grandmother\u2019s dahlia": _flower,
    "Chest, frontal": _xray,
    "Slide 14, second staining": _cells,
    "The letter, page one": _letter,
    "Ground floor, revision C": _plan,
}
