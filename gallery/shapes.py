"""The shape of a picture, as one of sixteen classes of the style sheet: its place on a page is as
large before its bytes arrive as after, and no page needs a style of its own."""

from math import log

SHAPES = {
    "9x21": 9 / 21,
    "1x2": 1 / 2,
    "9x16": 9 / 16,
    "2x3": 2 / 3,
    "3x4": 3 / 4,
    "4x5": 4 / 5,
    "9x10": 9 / 10,
    "1x1": 1.0,
    "10x9": 10 / 9,
    "5x4": 5 / 4,
    "4x3": 4 / 3,
    "3x2": 3 / 2,
    "16x9": 16 / 9,
    "2x1": 2.0,
    "21x9": 21 / 9,
    "3x1": 3.0,
}
UNKNOWN = "1x1"


def shape_of(width: int | None, height: int | None) -> str:
    """Return the class nearest to a picture's shape; a square while its size is not known."""
    if not width or not height:
        return UNKNOWN
    wanted = log(width / height)
    return min(SHAPES, key=lambda name: abs(log(SHAPES[name]) - wanted))
