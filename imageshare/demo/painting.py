"""Pictures painted on the spot, so that a demonstration needs nobody's photographs.

Each is a JPEG as a camera writes it, with a place, a device and a time in its EXIF, so that their
removal can be seen. Other processes paint, while this one makes keys and seals.
"""

import io
import multiprocessing
import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from PIL import ExifTags, Image, ImageChops

from imageshare.demo.scenes import papers
from imageshare.demo.scenes.brushes import Size

Scene = Callable[[Size, random.Random], Image.Image]

GRAIN = 6  # of a sensor in good light
SHAPES = [(1200, 800)] * 4 + [(800, 1200), (900, 1200), (1000, 1000), (1280, 720)]
PAGES = [(900, 1240), (1240, 900)]
DRAWN: list[Scene] = [papers.chart, papers.plan]  # by no camera: they have no grain


@dataclass(frozen=True)
class Order:
    """One picture to be painted; `seed` alone decides how it turns out."""

    scene: Scene
    seed: int
    taken: datetime


@contextmanager
def painters(orders: Sequence[Order]) -> Iterator[Iterator[bytes]]:
    """Have these pictures painted; yields their JPEGs, in this order, as they are ready."""
    # Not forked: a fork would share our connections to the databases.
    context = multiprocessing.context.SpawnContext()
    processes = max(1, (os.cpu_count() or 1) - 1)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield pool.map(paint, orders)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def paint(order: Order) -> bytes:
    chance = random.Random(order.seed)  # noqa: S311 — the same every time, and nothing secret
    size = chance.choice(PAGES if order.scene in DRAWN else SHAPES)
    picture = order.scene(size, chance)
    if order.scene not in DRAWN:
        noise = Image.effect_noise(size, GRAIN)
        picture = ImageChops.overlay(picture, Image.merge("RGB", (noise, noise, noise)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=86, exif=_as_from_a_camera(order.taken))
    return file.getvalue()


def _as_from_a_camera(taken: datetime) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Example", "Camera 7"
    exif[ExifTags.Base.DateTime] = f"{taken:%Y:%m:%d %H:%M:%S}"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (47.0, 22.0, 41.0), 3: "E", 4: (8.0, 32.0, 28.0)}
    )
    return exif
