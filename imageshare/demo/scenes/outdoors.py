"""Landscapes, water, streets."""

import random

from PIL import Image, ImageDraw, ImageFilter

from imageshare.demo.scenes.brushes import (
    Colour,
    Size,
    fill_below,
    glow,
    gradient,
    heights,
    mix,
    skyline,
)

# Of the sky from the top down, then the nearest ridge and the farthest.
LIGHTS: list[tuple[list[Colour], Colour, Colour]] = [
    ([(70, 96, 140), (176, 150, 160), (250, 196, 150)], (24, 34, 52), (150, 140, 165)),
    ([(60, 60, 110), (190, 100, 120), (252, 176, 110)], (30, 20, 44), (150, 92, 118)),
    ([(96, 158, 214), (160, 204, 232), (226, 238, 240)], (34, 70, 56), (148, 186, 196)),
    ([(150, 178, 196), (206, 216, 216), (236, 232, 220)], (38, 54, 50), (190, 202, 202)),
    ([(40, 84, 120), (96, 146, 160), (224, 206, 164)], (14, 46, 54), (110, 150, 152)),
]


def _layers(
    sky: Image.Image, chance: random.Random, near: Colour, far: Colour, roughness: float
) -> Image.Image:
    """Paint five ridges, each nearer and darker than the one behind it."""
    for layer in range(5):
        line = skyline(sky.size, chance, 0.55 + layer * 0.11, 0.22 - layer * 0.02, roughness)
        fill_below(sky, line, mix(near, far, 1 - layer / 4))
    return sky


def ridges(size: Size, chance: random.Random) -> Image.Image:
    stops, near, far = chance.choice(LIGHTS)
    sun = (chance.uniform(0.2, 0.8), chance.uniform(0.3, 0.5))
    sky = glow(gradient(size, *stops), sun, 0.03, (255, 230, 190))
    return _layers(sky, chance, near, far, chance.uniform(0.48, 0.6))


def fog(size: Size, chance: random.Random) -> Image.Image:
    sky = gradient(size, (196, 206, 208), (232, 232, 226))
    return _layers(sky, chance, (38, 54, 50), (190, 202, 202), 0.72)


def dunes(size: Size, chance: random.Random) -> Image.Image:
    sky = gradient(size, (98, 150, 196), (236, 214, 180))
    return _layers(sky, chance, (146, 86, 44), (230, 186, 134), 0.38)


def lake(size: Size, chance: random.Random) -> Image.Image:
    """Paint ridges above water that mirrors them."""
    picture, (width, height) = ridges(size, chance), size
    shore = round(height * 0.62)
    above = picture.crop((0, 2 * shore - height, width, shore))
    mirrored = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).filter(ImageFilter.BoxBlur(5))
    water = Image.blend(mirrored, Image.new("RGB", mirrored.size, (40, 60, 84)), 0.3)
    draw = ImageDraw.Draw(water)
    for _ in range(260):
        y = chance.randrange(2, water.height)
        x, length = chance.randrange(width), 10 + y // 5
        draw.line((x, y, x + length, y), fill=mix((186, 190, 196), (70, 90, 110), y / water.height))
    picture.paste(water.filter(ImageFilter.GaussianBlur(1)), (0, shore))
    return picture


def night(size: Size, chance: random.Random) -> Image.Image:
    picture, (width, height) = gradient(size, (6, 10, 26), (18, 26, 52), (48, 58, 88)), size
    milky = heights(size, chance, 5).filter(ImageFilter.GaussianBlur(6)).point(lambda v: v // 5)
    picture.paste(Image.new("RGB", size, (150, 150, 190)), (0, 0), milky)
    draw = ImageDraw.Draw(picture)
    for _ in range(1100):
        x, y, shade = chance.randrange(width), chance.randrange(height), chance.randrange(80, 255)
        across = 1 if chance.random() < 0.04 else 0
        draw.ellipse((x, y, x + across, y + across), fill=(shade, shade, min(255, shade + 14)))
    moon = (chance.uniform(0.15, 0.85), chance.uniform(0.12, 0.35))
    picture = glow(picture, moon, 0.02, (235, 235, 215))
    fill_below(picture, skyline(size, chance, 0.86, 0.12, 0.7), (9, 13, 24))
    fill_below(picture, skyline(size, chance, 0.95, 0.14, 0.6), (4, 7, 14))
    return picture


def city(size: Size, chance: random.Random) -> Image.Image:
    """Paint houses against the evening, some of their windows lit."""
    picture, (width, height) = gradient(size, (28, 30, 62), (120, 70, 96), (226, 132, 96)), size
    for row, (shade, top) in enumerate([((70, 52, 84), 0.3), ((38, 32, 58), 0.42)]):
        left = -chance.randrange(40)
        while left < width:
            across = chance.randrange(70, 150)
            roof = round(height * (top + chance.uniform(-0.06, 0.22)))
            _house(picture, (left, roof, left + across, height), shade, chance, lit=0.12 + row / 5)
            left += across + chance.randrange(0, 8)
    return picture.filter(ImageFilter.GaussianBlur(0.7))


def _house(
    picture: Image.Image,
    box: tuple[int, int, int, int],
    shade: Colour,
    chance: random.Random,
    lit: float,
) -> None:
    draw, (left, top, right, bottom) = ImageDraw.Draw(picture), box
    draw.rectangle(box, fill=shade)
    lamp, dark = chance.choice([(244, 206, 128), (250, 226, 176), (236, 170, 104)]), (16, 18, 30)
    for x in range(left + 10, right - 14, 20):
        for y in range(top + 14, bottom - 16, 28):
            colour = lamp if chance.random() < lit else mix(shade, dark, 0.5)
            draw.rectangle((x, y, x + 8, y + 13), fill=colour)


def sea(size: Size, chance: random.Random) -> Image.Image:
    """Paint the sea by day or in the evening, with a few boats on it."""
    skies: list[tuple[list[Colour], Colour, Colour]] = [
        ([(120, 176, 220), (214, 232, 240)], (120, 168, 186), (14, 66, 92)),
        ([(92, 96, 150), (232, 150, 120), (252, 208, 150)], (214, 150, 130), (38, 48, 84)),
        ([(150, 166, 178), (206, 212, 212)], (140, 156, 160), (44, 66, 76)),
    ]
    stops, near, far = chance.choice(skies)
    width, height = size
    horizon = round(height * chance.uniform(0.42, 0.6))
    picture = gradient(size, *stops)
    picture.paste(gradient((width, height - horizon), near, far), (0, horizon))
    draw = ImageDraw.Draw(picture)
    for _ in range(1500):
        y = chance.randrange(horizon, height)
        depth, x = y - horizon, chance.randrange(width)
        line = mix(near, (240, 246, 248), 0.5)
        draw.line((x, y, x + 4 + depth // 9, y), fill=line, width=1 + depth // 220)
    for _ in range(chance.randrange(1, 4)):
        _boat(draw, chance.randrange(width // 8, width * 7 // 8), horizon, chance)
    return picture.filter(ImageFilter.GaussianBlur(0.6))


def _boat(draw: ImageDraw.ImageDraw, x: int, horizon: int, chance: random.Random) -> None:
    scale = chance.uniform(0.3, 1.2)
    hull = chance.choice([(120, 36, 40), (24, 44, 74), (236, 232, 222), (34, 84, 72)])
    y = horizon + 36 * scale
    corners = [(x - 95, 0), (x + 95, 0), (x + 66, 32), (x - 70, 32)]
    sails = [[(x, -10), (x, -190), (x + 84, -12)], [(x - 8, -10), (x - 8, -160), (x - 70, -8)]]
    for shape, colour in [
        (corners, hull),
        (sails[0], (250, 248, 240)),
        (sails[1], (236, 230, 220)),
    ]:
        draw.polygon([(x + (px - x) * scale, y + py * scale) for px, py in shape], fill=colour)
