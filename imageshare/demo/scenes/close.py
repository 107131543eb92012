"""What is looked at from near: cells, stones, tiles, and maps from above."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from imageshare.demo.scenes.brushes import Colour, Size, coloured, gradient, heights, mix, noise

STAINS: list[tuple[Colour, Colour, Colour]] = [  # ground, body, nucleus
    ((236, 214, 226), (222, 158, 190), (104, 58, 132)),
    ((240, 228, 214), (226, 180, 150), (92, 60, 110)),
    ((16, 22, 34), (30, 96, 84), (90, 150, 240)),
]


def cells(size: Size, chance: random.Random) -> Image.Image:
    """Paint stained cells under a microscope."""
    ground, body, nucleus = chance.choice(STAINS)
    picture = coloured(heights(size, chance, 6), [mix(ground, body, 0.4), ground, ground])
    draw = ImageDraw.Draw(picture)
    for _ in range(size[0] * size[1] // 4600):
        x, y, r = chance.randrange(size[0]), chance.randrange(size[1]), chance.randrange(22, 50)
        wide, high = r * chance.uniform(0.75, 1.2), r * chance.uniform(0.75, 1.2)
        edge, inside = mix(body, nucleus, 0.5), mix(body, ground, chance.random() / 2)
        draw.ellipse((x - wide, y - high, x + wide, y + high), inside, edge, 3)
        n, dx, dy = r * chance.uniform(0.24, 0.4), chance.uniform(-6, 6), chance.uniform(-6, 6)
        draw.ellipse((x + dx - n, y + dy - n, x + dx + n, y + dy + n), fill=nucleus)
    return picture.filter(ImageFilter.GaussianBlur(1.6))


def stone(size: Size, chance: random.Random) -> Image.Image:
    """Paint a cut and polished agate: bands that follow one form."""
    kinds: list[list[Colour]] = [
        [(60, 24, 18), (190, 96, 50), (244, 226, 200), (150, 60, 36)],
        [(16, 44, 60), (60, 130, 150), (230, 240, 236), (30, 80, 110)],
        [(46, 40, 66), (140, 110, 170), (240, 232, 244), (90, 64, 130)],
        [(20, 50, 36), (70, 140, 96), (220, 236, 206), (34, 90, 62)],
        [(40, 38, 36), (140, 132, 124), (244, 240, 232), (90, 84, 78)],
    ]
    form, turns = noise(size, chance, 3), chance.uniform(3, 6)
    form = Image.blend(form, heights(size, chance, 8), 0.12).filter(ImageFilter.GaussianBlur(1))
    bands = form.point(
        [round(127 + 127 * math.sin(v / 255 * math.tau * turns)) for v in range(256)]
    )
    fine = form.point(
        [round(127 + 90 * math.sin(v / 255 * math.tau * turns * 4)) for v in range(256)]
    )
    return ImageChops.soft_light(
        coloured(bands, chance.choice(kinds)), Image.merge("RGB", (fine, fine, fine))
    )


def terrain(size: Size, chance: random.Random) -> Image.Image:
    """Paint a map: height by colour, shaded from the north-west, with contour lines."""
    land: list[Colour] = [
        *((54, 108, 150), (120, 172, 190), (206, 214, 170), (170, 188, 120)),
        *((200, 176, 120), (170, 128, 92), (236, 232, 226)),
    ]
    height = heights(size, chance, 4).filter(ImageFilter.GaussianBlur(2))
    picture = coloured(height, land)
    kernel = ImageFilter.Kernel((3, 3), (-4, -2, 0, -2, 0, 2, 0, 2, 4), scale=1, offset=128)
    shade = height.filter(kernel).filter(ImageFilter.GaussianBlur(1))
    picture = ImageChops.overlay(picture, Image.merge("RGB", (shade, shade, shade)))
    steps = height.point([v // 14 * 14 for v in range(256)])
    lines = ImageOps.invert(
        steps.filter(ImageFilter.FIND_EDGES).point(lambda v: 120 if v > 8 else 0)
    )
    return ImageChops.multiply(picture, Image.merge("RGB", (lines, lines, lines)))


def tiles(size: Size, chance: random.Random) -> Image.Image:
    """Paint a wall of glazed tiles: one drawing, turned around a centre, again and again."""
    inks: list[tuple[Colour, Colour, Colour]] = [
        ((242, 240, 232), (34, 70, 140), (236, 186, 70)),
        ((238, 236, 226), (30, 110, 96), (210, 110, 60)),
        ((246, 240, 228), (150, 50, 46), (50, 80, 110)),
        ((230, 238, 240), (24, 60, 96), (120, 170, 190)),
    ]
    across = min(size) // chance.choice([3, 4, 5])
    tile = _tile(across, chance, *chance.choice(inks))
    picture = Image.new("RGB", size, (206, 200, 190))
    for x in range(0, size[0], across):
        for y in range(0, size[1], across):
            shade = chance.uniform(0.9, 1.0)
            one = tile.point(lambda v, shade=shade: round(v * shade))
            picture.paste(one.crop((2, 2, across - 2, across - 2)), (x + 2, y + 2))
    light = gradient(size, (150, 150, 150), (128, 128, 128), (104, 104, 108))
    return ImageChops.soft_light(picture, light).filter(ImageFilter.GaussianBlur(0.5))


def _tile(
    across: int, chance: random.Random, ground: Colour, ink: Colour, accent: Colour
) -> Image.Image:
    side = across * 2
    quarter = Image.new("RGB", (side // 2, side // 2), ground)
    draw, half = ImageDraw.Draw(quarter), side // 2
    for part, colour in ((1.0, ink), (0.86, ground), (0.72, accent), (0.52, ink), (0.44, ground)):
        r = half * part * chance.uniform(0.9, 1.0)
        draw.ellipse((-r, -r, r, r), fill=colour)
    for part, colour in ((0.62, ink), (0.48, ground), (0.34, accent), (0.2, ink)):
        r = half * part * chance.uniform(0.9, 1.0)
        draw.ellipse((half - r, half - r, half + r, half + r), fill=colour)
    if chance.random() < 0.6:
        petal = half * chance.uniform(0.22, 0.34)
        draw.polygon([(0, 0), (half * 0.3, petal), (half, half), (petal, half * 0.3)], fill=accent)
    tile = Image.new("RGB", (side, side))
    for x, flipped in ((half, quarter), (0, ImageOps.mirror(quarter))):
        tile.paste(flipped, (x, half))
        tile.paste(ImageOps.flip(flipped), (x, 0))
    return tile.resize((across, across), Image.Resampling.LANCZOS)
