"""Flowers, leaves, trees, fruit, and lights out of focus."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from imageshare.demo.scenes.brushes import (
    Colour,
    Size,
    ball,
    coloured,
    fill_below,
    gradient,
    heights,
    mix,
    ring,
    skyline,
)

PETALS: list[tuple[Colour, Colour]] = [
    ((170, 44, 90), (248, 178, 186)),
    ((220, 120, 30), (252, 214, 120)),
    ((92, 62, 150), (204, 184, 236)),
    ((200, 198, 190), (252, 252, 246)),
    ((150, 26, 40), (240, 110, 96)),
]


def flower(size: Size, chance: random.Random) -> Image.Image:
    """Paint one flower from above, its inner petals lighter."""
    picture = coloured(heights(size, chance, 3), [(10, 34, 26), (26, 70, 46), (60, 108, 62)])
    picture = picture.filter(ImageFilter.GaussianBlur(9))
    (outer, inner), reach = chance.choice(PETALS), min(size) * chance.uniform(0.36, 0.46)
    centre = (size[0] * chance.uniform(0.42, 0.58), size[1] * chance.uniform(0.44, 0.56))
    number = chance.choice([8, 11, 13, 16])
    for step in range(5):
        part = reach * (1 - step * 0.19)
        _petals(picture, centre, part, number, step / 2, mix(outer, inner, step / 4))
    heart = round(reach * 0.42)
    sphere, mask = ball(heart, (240, 196, 80), (140, 84, 20))
    picture.paste(sphere, (round(centre[0] - heart / 2), round(centre[1] - heart / 2)), mask)
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def _petals(
    picture: Image.Image,
    centre: tuple[float, float],
    reach: float,
    number: int,
    turn: float,
    colour: Colour,
) -> None:
    """Lay one ring of petals, with the shadow it throws on what is below it."""
    shadow, petals = Image.new("L", picture.size), Image.new("L", picture.size)
    edges = Image.new("L", picture.size)
    radius = reach * math.sin(math.pi / number) * 1.25
    for tip in ring(centre, reach - radius, number, turn):
        half = ((tip[0] + centre[0]) / 2, (tip[1] + centre[1]) / 2)
        for image, shade in ((shadow, 150), (petals, 255)):
            draw = ImageDraw.Draw(image)
            x, y = tip
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
            draw.line((*tip, *centre), fill=shade, width=round(radius * 1.7))
        ImageDraw.Draw(edges).line((*tip, *half), fill=90, width=3)
        ImageDraw.Draw(edges).arc(
            (tip[0] - radius, tip[1] - radius, tip[0] + radius, tip[1] + radius), 0, 360, 120, 2
        )
    picture.paste((10, 10, 14), (0, 6), shadow.filter(ImageFilter.GaussianBlur(12)))
    picture.paste(colour, (0, 0), petals)
    picture.paste(mix(colour, (40, 10, 20), 0.5), (0, 0), edges.filter(ImageFilter.GaussianBlur(2)))


def leaf(size: Size, chance: random.Random) -> Image.Image:
    """Paint a leaf so near that it fills the picture, light falling through it."""
    greens: list[list[Colour]] = [
        [(18, 60, 30), (70, 130, 52), (176, 204, 96)],
        [(70, 26, 18), (176, 70, 34), (240, 168, 70)],
        [(14, 52, 48), (44, 118, 92), (150, 206, 158)],
    ]
    stops, (width, height) = chance.choice(greens), size
    picture = coloured(heights(size, chance, 4), stops).filter(ImageFilter.GaussianBlur(3))
    veins = Image.new("L", size)
    draw, angle = ImageDraw.Draw(veins), chance.uniform(-0.25, 0.25)
    for step in range(-4, 24):
        y = height * step / 18
        x = width / 2 + (height / 2 - y) * math.tan(angle)
        for side in (-1, 1):
            curve = [(x + side * width * t, y - height * 0.3 * t**0.8) for t in (0, 0.2, 0.4, 0.7)]
            draw.line(curve, fill=170, width=5)
            for t in range(1, 14):
                bx, by = x + side * width * t / 20, y - height * 0.3 * (t / 20) ** 0.8
                draw.line((bx, by, bx + side * 6, by + height / 18), fill=60, width=2)
    foot, head = width / 2 - height / 2 * math.tan(angle), width / 2 + height / 2 * math.tan(angle)
    draw.line((foot, height, head, 0), fill=230, width=14)
    picture.paste(
        mix(stops[2], (255, 255, 230), 0.5), (0, 0), veins.filter(ImageFilter.GaussianBlur(2))
    )
    drops = [(chance.randrange(width), chance.randrange(height)) for _ in range(26)]
    for x, y in drops:
        across = chance.randrange(10, 44)
        sphere, mask = ball(across, mix(stops[1], (230, 250, 230), 0.4), stops[0])
        picture.paste(sphere, (x, y), mask.point(lambda v: v * 7 // 10))
    return picture


def tree(size: Size, chance: random.Random) -> Image.Image:
    """Paint one tree on a meadow, in one of its seasons."""
    crowns: list[list[Colour]] = [
        [(60, 110, 44), (96, 150, 60), (140, 184, 84)],
        [(180, 84, 30), (214, 130, 40), (236, 178, 70)],
        [(232, 176, 192), (246, 208, 216), (252, 232, 234)],
    ]
    width, height = size
    picture = gradient(size, (126, 176, 214), (200, 222, 232), (238, 236, 222))
    fill_below(picture, skyline(size, chance, 0.74, 0.1, 0.5), (134, 160, 150))
    fill_below(picture, skyline(size, chance, 0.84, 0.05, 0.4), (112, 148, 78))
    crown, base = chance.choice(crowns), min(size)
    leaves = list[tuple[float, float]]()
    draw = ImageDraw.Draw(picture)
    foot = (width * chance.uniform(0.4, 0.6), height * 0.86)
    _branch(draw, chance, foot, math.pi / 2, base * 0.2, leaves)
    for shade, colour in enumerate(crown):
        for x, y in leaves:
            r = base * chance.uniform(0.008, 0.024)
            x, y = x + chance.gauss(0, base * 0.016), y + chance.gauss(0, base * 0.016) - shade * 6
            draw.ellipse(
                (x - r, y - r, x + r, y + r), fill=mix(colour, (70, 70, 40), chance.random() / 4)
            )
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def _branch(
    draw: ImageDraw.ImageDraw,
    chance: random.Random,
    start: tuple[float, float],
    angle: float,
    length: float,
    leaves: list[tuple[float, float]],
) -> None:
    x, y = start
    end = (x + math.cos(angle) * length, y - math.sin(angle) * length)
    draw.line((*start, *end), fill=(74, 56, 44), width=max(1, round(length / 7)))
    if length < 12:
        leaves.append(end)
        return
    for turn in (-0.45, 0.02, 0.45):
        if turn or length > 40:
            bent = angle + turn + chance.uniform(-0.18, 0.18)
            _branch(draw, chance, end, bent, length * chance.uniform(0.66, 0.8), leaves)


def fruit(size: Size, chance: random.Random) -> Image.Image:
    """Paint a crate full of one kind of fruit, seen from above."""
    kinds: list[tuple[Colour, Colour]] = [
        ((240, 140, 40), (150, 60, 8)),
        ((206, 44, 44), (86, 8, 20)),
        ((166, 194, 70), (66, 94, 20)),
        ((100, 66, 128), (32, 16, 52)),
        ((240, 206, 80), (166, 116, 14)),
    ]
    (light, dark), (width, height) = chance.choice(kinds), size
    picture = Image.new("RGB", size, mix(dark, (0, 0, 0), 0.6))
    across = round(min(size) * chance.uniform(0.16, 0.24))
    step = round(across * 0.86)
    for row, y in enumerate(range(-across // 2, height, round(step * 0.8))):
        for x in range(-across + (row % 2) * step // 2, width, step):
            tone = chance.uniform(-0.1, 0.16)
            sphere, mask = ball(across, mix(light, dark, max(0, tone)), dark)
            place = (x + chance.randrange(-9, 9), y + chance.randrange(-9, 9))
            shadow = mask.filter(ImageFilter.GaussianBlur(6)).point(lambda v: v // 2)
            picture.paste((10, 6, 4), (place[0] + 4, place[1] + 10), shadow)
            picture.paste(sphere, place, mask)
    pores = coloured(heights(size, chance, 60), [(90, 90, 90), (165, 165, 165)])
    return ImageChops.soft_light(picture, pores).filter(ImageFilter.GaussianBlur(0.6))


def bokeh(size: Size, chance: random.Random) -> Image.Image:
    """Paint lights behind rain, out of focus: so half the size is enough."""
    warm: list[Colour] = [(255, 180, 90), (255, 120, 80), (250, 220, 160), (120, 190, 240)]
    width, height = half = (size[0] // 2, size[1] // 2)
    picture = gradient(half, (14, 16, 34), (34, 24, 44), (12, 12, 22))
    for blur, number in ((6, 26), (2, 26), (1, 14)):
        lights = Image.new("RGB", half)
        for _ in range(number):
            x, y = chance.randrange(width), round(chance.gauss(0.5, 0.2) * height)
            r, colour = chance.randrange(9, 35), mix(chance.choice(warm), (0, 0, 0), 0.5)
            one = Image.new("RGB", half)
            box = (x - r, y - r, x + r, y + r)
            ImageDraw.Draw(one).ellipse(box, colour, mix(colour, (255, 255, 255), 0.2))
            lights = ImageChops.add(lights, one)
        picture = ImageChops.screen(picture, lights.filter(ImageFilter.GaussianBlur(blur)))
    return picture.resize(size, Image.Resampling.BICUBIC)
