"""What people work with: radiographs, ultrasound, plans, charts, letters."""

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from imageshare.demo.scenes.brushes import Colour, Size, gradient, heights

INK, PALE = (40, 44, 52), (206, 210, 216)
SERIES: list[Colour] = [(42, 96, 160), (220, 120, 50), (70, 140, 96), (150, 80, 140)]


def chest(size: Size, chance: random.Random) -> Image.Image:
    """Paint a frontal radiograph of a chest."""
    width, height = size
    x, unit = width / 2, min(width, height * 1.1) / 1000
    picture = Image.new("L", size, 10)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - 470 * unit, 40, x + 470 * unit, height * 1.25), fill=92)
    lung, top = 165 * unit * chance.uniform(0.9, 1.1), height * 0.17
    for side in (-1, 1):
        middle = x + side * 215 * unit
        draw.ellipse((middle - lung, top, middle + lung, height * 0.83), fill=30)
        end = (x + side * 430 * unit, height * 0.2)
        draw.line((x + side * 40 * unit, height * 0.17, *end), fill=165, width=round(26 * unit))
    draw.rounded_rectangle((x - 34 * unit, 0, x + 34 * unit, height), 30, fill=158)
    draw.ellipse((x - 90 * unit, height * 0.48, x + 190 * unit, height * 0.8), fill=136)
    bones = Image.new("L", size)
    ribs = ImageDraw.Draw(bones)
    for rib in range(9):
        for side in (-1, 1):
            middle, y = x + side * 210 * unit, top + rib * height * 0.072
            box = (middle - 230 * unit, y - 60 * unit, middle + 230 * unit, y + 130 * unit)
            ribs.arc(box, 190, 350, fill=62 - rib * 3, width=round(17 * unit))
    picture = ImageChops.add(picture, bones).filter(ImageFilter.GaussianBlur(7 * unit))
    soft = heights(size, chance, 9).point(lambda v: 96 + v // 4)
    return ImageChops.overlay(picture, soft).convert("RGB")


def slice_through(size: Size, chance: random.Random) -> Image.Image:
    """Paint one slice of a tomograph, seen from the feet."""
    width, height = size
    x, y, unit = width / 2, height / 2, min(width / 1.3, height) / 1000
    picture = Image.new("L", size, 6)
    draw = ImageDraw.Draw(picture)

    def oval(dx: float, dy: float, wide: float, high: float, shade: int) -> None:
        at = (x + dx * unit, y + dy * unit)
        reach = (wide * unit, high * unit)
        draw.ellipse(
            (at[0] - reach[0], at[1] - reach[1], at[0] + reach[0], at[1] + reach[1]), shade
        )

    for wide, high, shade in ((560, 410, 70), (525, 375, 118), (490, 345, 96)):
        oval(0, 0, wide, high, shade)
    for side in (-1, 1):
        oval(side * 260, 20, 190 * chance.uniform(0.9, 1.05), 250, 18)
        for rib in range(6):
            angle = math.pi * (0.12 + rib * 0.14)
            oval(side * 500 * math.sin(angle), -355 * math.cos(angle), 34, 18, 225)
    oval(40, -70, 150 * chance.uniform(0.9, 1.1), 140, 150)
    oval(-20, 150, 48, 48, 176)
    oval(0, 250, 78, 70, 236)
    oval(0, 250, 34, 30, 140)
    oval(0, 325, 20, 46, 226)
    grain = Image.effect_noise(size, 34).filter(ImageFilter.GaussianBlur(1.4))
    soft = picture.filter(ImageFilter.GaussianBlur(5 * unit))
    return ImageChops.overlay(soft, grain).convert("RGB")


def ultrasound(size: Size, chance: random.Random) -> Image.Image:
    """Paint the fan of an ultrasound, bright where it meets something."""
    width, height = size
    fan, reach = Image.new("L", size), height * 0.92
    box = (width / 2 - reach, -reach + 20, width / 2 + reach, reach + 20)
    ImageDraw.Draw(fan).pieslice(box, 52, 128, fill=255)
    speckle = Image.effect_noise(size, 90).filter(ImageFilter.GaussianBlur(1.6))
    tissue = heights(size, chance, 5).point(lambda v: max(0, v - 50))
    cyst = ImageDraw.Draw(tissue)
    for _ in range(3):
        x, y = width * chance.uniform(0.4, 0.6), height * chance.uniform(0.35, 0.7)
        r = min(size) * chance.uniform(0.03, 0.09)
        cyst.ellipse((x - r * 1.5, y - r, x + r * 1.5, y + r), fill=4, outline=220, width=4)
    seen = ImageChops.multiply(tissue.filter(ImageFilter.GaussianBlur(3)), speckle)
    seen = seen.point(lambda v: min(255, v * 2))
    return Image.composite(seen, Image.new("L", size, 4), fan).convert("RGB")


def plan(size: Size, chance: random.Random) -> Image.Image:
    """Paint the plan of a floor: rooms, doors, measures."""
    paper, grid, ink = chance.choice(
        [((24, 58, 104), (44, 82, 132), (232, 240, 250)), ((248, 248, 244), (224, 228, 232), INK)]
    )
    picture, (width, height) = Image.new("RGB", size, paper), size
    draw = ImageDraw.Draw(picture)
    for x in range(0, width, 40):
        draw.line((x, 0, x, height), fill=grid)
    for y in range(0, height, 40):
        draw.line((0, y, width, y), fill=grid)
    edge = min(size) // 8
    house = (edge, edge, width - edge, height - edge)
    font = ImageFont.load_default(22)
    for number, room in enumerate(_rooms(house, chance, depth=3), start=1):
        left, top, right, bottom = room
        draw.rectangle(room, outline=ink, width=7)
        door = min(70, (right - left) // 2, (bottom - top) // 2)
        draw.rectangle((left + 12, top - 4, left + 12 + door, top + 4), fill=paper)
        draw.pieslice(
            (left + 12 - door, top - door, left + 12 + door, top + door), 0, 90, outline=ink
        )
        middle = ((left + right) / 2, (top + bottom) / 2)
        square = (right - left) * (bottom - top) / 12_000
        draw.text(middle, f"{number:02}\n{square:.1f} m²", ink, font, anchor="mm", align="center")
    draw.rectangle(house, outline=ink, width=12)
    return picture


def _rooms(
    box: tuple[int, int, int, int], chance: random.Random, depth: int
) -> list[tuple[int, int, int, int]]:
    left, top, right, bottom = box
    if not depth or (depth == 1 and chance.random() < 0.4):
        return [box]
    share = chance.uniform(0.38, 0.62)
    if right - left > bottom - top:
        cut = round(left + (right - left) * share)
        parts = [(left, top, cut, bottom), (cut, top, right, bottom)]
    else:
        cut = round(top + (bottom - top) * share)
        parts = [(left, top, right, cut), (left, cut, right, bottom)]
    return [room for part in parts for room in _rooms(part, chance, depth - 1)]


def chart(size: Size, chance: random.Random) -> Image.Image:
    """Paint a page with one chart: columns, or lines over the months."""
    picture, (width, height) = Image.new("RGB", size, (252, 252, 250)), size
    draw, edge = ImageDraw.Draw(picture), min(size) // 8
    title = chance.choice(["Visits by month", "Deliveries, this year", "Energy used, kWh"])
    draw.text((edge, edge * 0.45), title, INK, ImageFont.load_default(34))
    left, right, top, floor = edge, width - edge, round(edge * 1.4), height - edge
    for line in range(6):
        y = floor - (floor - top) * line / 5
        draw.line((left, y, right, y), fill=PALE, width=2)
        draw.text((left - 12, y), str(line * 20), INK, ImageFont.load_default(18), anchor="rm")
    step = (right - left) / 12
    colours = chance.sample(SERIES, 2)
    values = [[chance.uniform(0.2, 0.6) + month / 36 for month in range(12)] for _ in colours]
    if chance.random() < 0.5:
        for month in range(12):
            for n, colour in enumerate(colours):
                x, y = (
                    left + step * month + 10 + n * step * 0.36,
                    floor - values[n][month] * (floor - top),
                )
                draw.rounded_rectangle((x, y, x + step * 0.32, floor), 4, fill=colour)
    else:
        for row, colour in zip(values, colours, strict=True):
            points = [
                (left + step * (m + 0.5), floor - v * (floor - top)) for m, v in enumerate(row)
            ]
            draw.line(points, fill=colour, width=6, joint="curve")
            for x, y in points:
                draw.ellipse((x - 8, y - 8, x + 8, y + 8), (252, 252, 250), colour, 4)
    for month, letter in enumerate("JFMAMJJASOND"):
        at = (left + step * (month + 0.5), floor + 22)
        draw.text(at, letter, INK, ImageFont.load_default(20), anchor="mm")
    return picture


def letter(size: Size, chance: random.Random) -> Image.Image:
    """Paint a written page on a table."""
    width, height = size
    picture = gradient(size, (112, 90, 70), (84, 68, 54))
    grain = heights((size[0], 40), chance, 90).resize(size)
    picture = ImageChops.soft_light(picture, Image.merge("RGB", (grain, grain, grain)))
    side = round(min(width * 0.8, height * 0.64))
    paper = Image.new("RGB", (side, round(side * 1.36)), (246, 243, 234))
    draw, unit = ImageDraw.Draw(paper), side / 760
    draw.rectangle((80 * unit, 90 * unit, 380 * unit, 112 * unit), fill=INK)
    for line in range(24):
        end = chance.randrange(540, 680) if line % 6 else 380
        box = (80 * unit, (190 + line * 28) * unit, end * unit, (197 + line * 28) * unit)
        draw.rectangle(box, fill=(96, 98, 104))
    draw.ellipse((500 * unit, 860 * unit, 620 * unit, 960 * unit), outline=(150, 30, 40), width=6)
    mask = Image.new("L", paper.size, 255)
    turn = chance.uniform(-5, 5)
    turned = paper.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    cut = mask.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    place = ((width - turned.width) // 2, (height - turned.height) // 2)
    shadow = Image.new("L", size)
    shadow.paste(cut.point(lambda v: v // 2), (place[0] + 8, place[1] + 14))
    picture.paste((0, 0, 0), (0, 0), shadow.filter(ImageFilter.GaussianBlur(12)))
    # The light falls on it from one side.
    light = Image.linear_gradient("L").rotate(90).resize(turned.size).point(lambda v: 118 + v // 12)
    lit = ImageChops.soft_light(turned, Image.merge("RGB", (light, light, light)))
    picture.paste(lit, place, cut)
    return picture
