"""`make bench`: what a picture costs in a decoder of its own, beside decoding it in this process.

Processor time, so that a busy machine spoils nothing; each way is measured in a fresh process,
whose memory nothing before it stretched.
"""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.throwaway import say_how_busy
from imageshare import start

SMALL, PHONE, CAMERA, BOMB_SIDE = (64, 48), (4032, 3024), (8660, 5774), 8000
ROUNDS, TICKS_A_SECOND = 3, os.sysconf("SC_CLK_TCK")
WAYS = ("here", "apart")


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    say_how_busy()
    print("| picture | where | this process, ms | decoder, ms | this process above idle, MB |")
    print("|---|---|---|---|---|", flush=True)
    for way in WAYS:
        subprocess.run([sys.executable, "-m", "benchmarks.decoding", way], check=True)


def measure(way: str) -> None:
    from tests import environment  # noqa: F401  (before settings are read)

    start.give_memory_back()  # as a server does
    act = apart if way == "apart" else here
    act(jpeg(SMALL, 80))  # what is loaded at the first
    for what, data in pictures():
        idle, own, decoders = memory_mb("VmRSS"), time.process_time(), decoders_seconds()
        Path("/proc/self/clear_refs").write_text("5")
        for _ in range(ROUNDS):
            act(data)
        each = 1000 / ROUNDS
        own, decoders = time.process_time() - own, decoders_seconds() - decoders
        print(
            f"| {what}, {len(data):,} bytes | {way} | {own * each:.0f} | {decoders * each:.0f} "
            f"| {memory_mb('VmHWM') - idle} |",
            flush=True,
        )


def here(data: bytes) -> None:
    from gallery.intake import take_in
    from tests.gallery.picture_files import LIMITS

    take_in(data, keep_details=False, limits=LIMITS)


def apart(data: bytes) -> None:
    from gallery.decoding.asking import DECODERS
    from tests.gallery.picture_files import LIMITS

    DECODERS.take(data, keep_details=False, limits=LIMITS).picture(b"".join)


def pictures() -> Iterator[tuple[str, bytes]]:
    yield "JPEG of 3,072 pixels", jpeg(SMALL, 80)
    yield "JPEG of 12 million", jpeg(PHONE, 60)
    yield "JPEG of 50 million", jpeg(CAMERA, 80)
    bomb = io.BytesIO()
    Image.new("L", (BOMB_SIDE, BOMB_SIDE)).save(bomb, "WEBP", lossless=True)
    yield "WebP of 64 million", bomb.getvalue()


def jpeg(size: tuple[int, int], quality: int) -> bytes:
    """Return a JPEG with grain, and with details that are to be removed."""
    grain, exif, file = Image.effect_noise(size, 60), Image.Exif(), io.BytesIO()
    exif[0x010F] = "Example"

    picture = Image.merge("RGB", (grain, grain.point(lambda value: value // 2), grain))
    picture.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def decoders_seconds() -> float:
    """Return the processor time of the starter, and of decoders that have ended."""
    from gallery.decoding.asking import DECODERS

    if DECODERS.process_id is None:
        return 0
    time.sleep(0.3)  # the last one ends
    fields = Path(f"/proc/{DECODERS.process_id}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND


def memory_mb(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(name))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
