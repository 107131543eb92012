"""`make bench`: the running server, over HTTP: how long people wait, and what memory it takes."""

import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.e2e.http_client import HttpClient
from tests.e2e.server import Server, running

PASSWORD, ROUNDS = "correct horse battery", 5
SIDE = 2950  # pixels of noise: a PNG of about 25 MB


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
        print("| over HTTP | median, ms |\n|---|---|")
        people = [f"reader-{number}" for number in range(10)]
        clients = [HttpClient(server.address) for _ in people]
        tell(
            "registration, recovery code made and typed back",
            [timed(lambda pair=pair: pair[0].register(pair[1], pair[1], PASSWORD))
             for pair in zip(clients, people, strict=True)],
        )  # fmt: skip
        owner, form = clients[0], {"username": people[0], "password": PASSWORD}
        tell(
            "signing in", repeat(lambda: HttpClient(server.address).post("/accounts/login/", form))
        )
        idle, picture = peak_mb(server), noise()
        for count in (1, 9):
            names = people[1 : 1 + count]
            tell(
                f"uploading {len(picture) / 2**20:.0f} MB for {count}",
                repeat(lambda names=names: upload(owner, picture, names)),
            )
        image = upload(owner, picture, people[1:2])
        after_upload = peak_mb(server)
        reader = clients[1]
        tell("opening the original", repeat(lambda: reader.get(f"/images/{image}/original")))
        tell("the list of images, one page", repeat(lambda: reader.get("/images/")))
        print(f"\nPeak memory of a worker: {idle} MB idle, {after_upload} MB after the uploads, "
              f"{peak_mb(server)} MB after the openings.")  # fmt: skip


def noise() -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * SIDE * 3)).save(file, "PNG")
    return file.getvalue()


def upload(client: HttpClient, picture: bytes, names: list[str]) -> str:
    answer = client.upload([("noise.png", picture)], recipients=names)
    assert answer.status == 201, answer.body
    return str(answer.json()["images"][0]["id"])


def timed(act: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def repeat(act: Callable[[], Any]) -> list[float]:
    return [timed(act) for _ in range(ROUNDS)]


def tell(what: str, seconds: list[float]) -> None:
    print(f"| {what} | {statistics.median(seconds) * 1000:.0f} |", flush=True)


def peak_mb(server: Server) -> int:
    """Return the largest peak of any of the server's processes."""
    peaks = []
    for process in server.processes():
        status = Path(f"/proc/{process}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        peaks.append(int(line.split()[1]) // 1024)
    return max(peaks)


if __name__ == "__main__":
    main()
