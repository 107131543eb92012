"""`make bench`: how long uploads of photos take, what memory they cost, and who waits for whom."""

import io
import threading
import time
from collections.abc import Callable
from statistics import median

from PIL import Image

from benchmarks.memory import peak_mb, resident_mb
from benchmarks.throwaway import data_folder, say_how_busy
from tests.e2e.http_client import HttpClient
from tests.e2e.server import running

PASSWORD, ROUNDS = "correct horse battery", 5
PHONE, CAMERA = (4032, 3024), (8660, 5774)  # 12 and 50 million pixels
BOMBS, BOMB_SIDE = 24, 8000


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir, running(data_dir) as server:
        alice, bob = (registered(server.address, name) for name in ("alice", "bob"))
        phone, camera = photo(PHONE, 60), photo(CAMERA, 88)
        idle = resident_mb(server)
        print("| upload | median, ms | memory of the worker above idle, MB |\n|---|---|---|")
        for what, files in (
            ("a photo of 12 million pixels", [phone]),
            ("eight of them in one form", [phone] * 8),
            (f"a photo of 50 million pixels, {len(camera) / 2**20:.0f} MB", [camera]),
        ):
            times: list[float] = []
            peak = peak_mb(server, lambda f=files, t=times: t.extend(repeated(alice, f)))
            print(f"| {what} | {median(times) * 1000:.0f} | {peak - idle} |", flush=True)
        bombs = [webp(BOMB_SIDE)] * BOMBS
        sending = threading.Thread(target=upload, args=(alice, bombs))
        sending.start()
        time.sleep(2)  # hers are being decoded by then
        waited = timed(lambda: upload(bob, [phone]))
        sending.join()
        print(
            f"\nSomebody else's photo took {waited:.1f} s while {BOMBS} files of {len(bombs[0])} "
            f"bytes, {BOMB_SIDE} × {BOMB_SIDE} pixels each, were being decoded."
        )


def registered(address: str, name: str) -> HttpClient:
    client = HttpClient(address)
    client.register(name, name.title(), PASSWORD)
    return client


def photo(size: tuple[int, int], quality: int) -> bytes:
    """Return a JPEG with grain and details, as a camera makes it."""
    grain = Image.effect_noise(size, 60)
    exif = Image.Exif()
    exif[0x010F] = "Example"
    file = io.BytesIO()
    Image.merge("RGB", (grain, grain.point(lambda value: value // 2), grain)).save(
        file, "JPEG", quality=quality, exif=exif
    )
    return file.getvalue()


def webp(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "WEBP", lossless=True)
    return file.getvalue()


def upload(client: HttpClient, pictures: list[bytes]) -> None:
    answer = client.upload([("x", picture) for picture in pictures])
    assert answer.status == 201, answer.body


def repeated(client: HttpClient, pictures: list[bytes]) -> list[float]:
    return [timed(lambda: upload(client, pictures)) for _ in range(ROUNDS)]


def timed(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
