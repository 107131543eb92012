"""`python -m benchmarks.zips`: what a ZIP of a selection takes of the running server.

Forty originals of 5 MB, read at once and read slowly; beside them the same forty, one by one.
"""

import io
import os
import socket
import time
from collections.abc import Callable
from urllib.parse import urlencode
from zipfile import ZipFile

from PIL import Image

from benchmarks.throwaway import data_folder, say_how_busy
from tests.e2e.http_client import HttpClient
from tests.e2e.memory import peak_mb, resident_mb
from tests.e2e.server import Server, running

PASSWORD, IMAGES, AT_ONCE = "correct horse battery", 40, 10
SLOW_PIECE_BYTES, PIECES_A_SECOND = 64 * 1024, 160  # 10 MB a second


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir, running(data_dir, WORKERS="1") as server:
        owner = HttpClient(server.address)
        owner.register("person", "Person", PASSWORD)
        ids = [one for _ in range(IMAGES // AT_ONCE) for one in uploaded(owner)]
        print(f"| {IMAGES} originals of 5 MB | seconds | memory above idle, MB |\n|---|---|---|")
        measure(server, "one by one", lambda: one_by_one(owner, ids))
        measure(server, "as one ZIP", lambda: at_once(owner, ids))
        measure(server, "as one ZIP, read at 10 MB a second", lambda: slowly(server, owner, ids))


def uploaded(owner: HttpClient) -> list[str]:
    files = [("x", noise()) for _ in range(AT_ONCE)]
    return [one["id"] for one in owner.upload(files).json()["images"]]


def noise() -> bytes:
    file, size = io.BytesIO(), (1320, 1320)
    Image.frombytes("RGB", size, os.urandom(3 * size[0] * size[1])).save(file, "PNG")
    return file.getvalue()


def measure(server: Server, what: str, act: Callable[[], None]) -> None:
    idle, begun = resident_mb(server), time.perf_counter()
    peak = peak_mb(server, act)
    print(f"| {what} | {time.perf_counter() - begun:.1f} | {peak - idle} |", flush=True)


def one_by_one(owner: HttpClient, ids: list[str]) -> None:
    for one in ids:
        assert owner.get(f"/images/{one}/original").status == 200


def at_once(owner: HttpClient, ids: list[str]) -> None:
    answer = owner.post("/images/zip/", {"images": ids})
    assert len(ZipFile(io.BytesIO(answer.body)).namelist()) == IMAGES


def slowly(server: Server, owner: HttpClient, ids: list[str]) -> None:
    body = urlencode({"images": ids}, doseq=True).encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    head = owner.head_of_post("/images/zip/", kind, f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head + body)
        received = 0
        while piece := client.recv(SLOW_PIECE_BYTES, socket.MSG_WAITALL):
            received += len(piece)
            time.sleep(1 / PIECES_A_SECOND)
    assert received > IMAGES * 5_000_000


if __name__ == "__main__":
    main()
