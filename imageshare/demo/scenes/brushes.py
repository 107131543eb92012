"""What all scenes are painted with: skies, noise, colours by height, skylines, light."""

import itertools
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]
Size = tuple[int, int]
Line = list[tuple[float, float]]


def mix(near: Colour, far: Colour, share: float) -> Colour:
    red, green, blue = (round(n + (f - n) * share) for n, f in zip(near, far, strict=True))
    return red, green, blue


def gradient(size: Size, *stops: Colour) -> Image.Image:
    """Return a picture that goes through these colours, from the top to the bottom."""
    column = Image.new("RGB", (1, len(stops)))
    column.putdata(list(stops))
    return column.resize(size, Image.Resampling.BICUBIC)


def noise(size: Size, chance: random.Random, cells: int) -> Image.Image:
    """Return soft grey spots, so many of them across the longer side."""
    longer = max(size)
    width, height = (max(2, round(cells * side / longer)) for side in size)
    small = Image.frombytes("L", (width, height), chance.randbytes(width * height))
    return small.resize(size, Image.Resampling.BICUBIC)


def heights(size: Size, chance: random.Random, cells: int) -> Image.Image:
    """Return noise as of mountains seen from above: large forms with smaller ones on them."""
    found = noise(size, chance, cells)
    for octave in range(1, 6):
        finer = noise(size, chance, cells * 2**octave)
        found = Image.blend(found, finer, 0.55 * 0.6**octave)
    return ImageOps.autocontrast(found, cutoff=1)


def coloured(grey: Image.Image, stops: Sequence[Colour]) -> Image.Image:
    """Return `grey` in these colours: black in the first of them, white in the last."""
    steps = [step / 255 * (len(stops) - 1) for step in range(256)]
    table = [mix(stops[int(s)], stops[min(int(s) + 1, len(stops) - 1)], s % 1) for s in steps]
    bands = [grey.point([colour[band] for colour in table]) for band in range(3)]
    return Image.merge("RGB", bands)


def skyline(
    size: Size, chance: random.Random, level: float, height: float, roughness: float
) -> Line:
    """Return a skyline by midpoint displacement, from the left edge to the right."""
    found = [chance.uniform(0, 1), chance.uniform(0, 1)]
    spread = 0.6
    while len(found) < 400:
        middles = [
            (a + b) / 2 + chance.uniform(-spread, spread) for a, b in itertools.pairwise(found)
        ]
        found = [*(h for pair in zip(found, middles, strict=False) for h in pair), found[-1]]
        spread *= roughness
    step = size[0] / (len(found) - 1)
    return [(i * step, size[1] * (level - height * h)) for i, h in enumerate(found)]


def fill_below(picture: Image.Image, line: Line, colour: Colour) -> None:
    width, height = picture.size
    ImageDraw.Draw(picture).polygon([(0, height), *line, (width, height)], fill=colour)


def glow(
    picture: Image.Image, centre: tuple[float, float], radius: float, colour: Colour
) -> Image.Image:
    """Return the picture with a sun or a moon, at this part of its width and height."""
    quarter = (picture.width // 4, picture.height // 4)
    light = Image.new("RGB", quarter)
    x, y, r = quarter[0] * centre[0], quarter[1] * centre[1], max(quarter) * radius
    ImageDraw.Draw(light).ellipse((x - r, y - r, x + r, y + r), fill=colour)
    for blur in (r * 3, r * 1.2, r / 8):
        halo = light.filter(ImageFilter.GaussianBlur(blur)).resize(picture.size)
        picture = ImageChops.screen(picture, halo)
    return picture


def ball(across: int, light: Colour, dark: Colour) -> tuple[Image.Image, Image.Image]:
    """Return a sphere lit from above on the left, and its mask."""
    shade = Image.radial_gradient("L").resize((across * 2, across * 2))
    shade = shade.crop((across * 2 // 3, across * 2 // 3, across * 5 // 3, across * 5 // 3))
    mask = Image.new("L", (across * 2, across * 2))
    ImageDraw.Draw(mask).ellipse((2, 2, across * 2 - 2, across * 2 - 2), fill=255)
    bright = mix(light, (255, 255, 255), 0.45)
    return coloured(shade, [bright, light, light, dark]), mask.resize((across, across))


def ring(
    centre: tuple[float, float], reach: float, number: int, turn: float = 0
) -> list[tuple[float, float]]:
    """Return so many points around a centre."""
    angles = [math.tau * (n + turn) / number for n in range(number)]
    x, y = centre
    return [(x + math.cos(angle) * reach, y + math.sin(angle) * reach) for angle in angles]
