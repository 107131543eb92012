"""Pictures to measure with."""

import io
import os
import random

from PIL import Image

SIDE = 2950  # pixels of noise: a PNG of about 25 MB
PHOTO_SIZE, GRAIN = (1600, 1200), 0.06


def noise() -> bytes:
    """Return a PNG of about 25 MB, whose pixels take as much again."""
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * SIDE * 3)).save(file, "PNG")
    return file.getvalue()


def photo(number: int) -> bytes:
    """Return a JPEG that compresses like a photograph: large forms, and grain on them."""
    colours = Image.frombytes("RGB", (8, 6), random.Random(number).randbytes(8 * 6 * 3))
    forms = colours.resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(PHOTO_SIZE, 80).convert("RGB")
    file = io.BytesIO()
    Image.blend(forms, grain, GRAIN).save(file, "JPEG", quality=90)
    return file.getvalue()
