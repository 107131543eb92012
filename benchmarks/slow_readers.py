"""`python -m benchmarks.slow_readers`: what readers who take nothing hold of a worker's memory.

A picture of 47 MB, asked for at once by many connections that read nothing. Then some of them read
to the end, to see that nothing was lost meanwhile.
"""

import hashlib
import io
import os
import socket
import time
from contextlib import ExitStack

from PIL import Image

from benchmarks.throwaway import data_folder, say_how_busy
from tests.e2e.http_client import HttpClient
from tests.e2e.memory import peak_mb, resident_mb
from tests.e2e.server import Server, running
from tests.e2e.slow_clients import connected

PASSWORD, SIDE = "correct horse battery", 4050  # noise, three bytes a pixel: 47 MB
READERS, READ_ON = (1, 16, 64), 3


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir, running(data_dir, WORKERS="1") as server:
        owner = HttpClient(server.address)
        owner.register("person", "Person", PASSWORD)
        (image,) = owner.upload([("x", noise())]).json()["images"]
        path = f"/images/{image['id']}/original"
        whole = owner.get(path).body
        print(f"({len(whole) / 2**20:.0f} MB; a worker takes {resident_mb(server)} MB)\n")
        print("| slow readers | memory above before, MB | arrived whole |\n|---|---|---|")
        for readers in READERS:
            measure(server, owner, path, whole, readers)


def noise() -> bytes:
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), os.urandom(3 * SIDE * SIDE)).save(file, "PNG")
    return file.getvalue()


def measure(server: Server, owner: HttpClient, path: str, whole: bytes, readers: int) -> None:
    before = resident_mb(server)
    with ExitStack() as stack:
        clients: list[socket.socket] = []

        def ask() -> None:
            for _ in range(readers):
                client = stack.enter_context(connected(server.port))
                client.sendall(head(owner, path))
                clients.append(client)
            # Each has its first bytes before the memory is looked at, so each answer has begun.
            begun = [client.recv(1, socket.MSG_PEEK) for client in clients]
            assert begun == [b"H"] * readers
            time.sleep(1)

        held = peak_mb(server, ask) - before
        last = clients[-READ_ON:]
        right = sum(arrived(client) == hashlib.sha256(whole).digest() for client in last)
    print(f"| {readers} | {held} | {right} of {len(last)} |", flush=True)


def head(owner: HttpClient, path: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Cookie: {owner.cookie_header()}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def arrived(client: socket.socket) -> bytes:
    """Return the digest of the picture that this connection is sent."""
    client.settimeout(60)
    received = bytearray()
    while piece := client.recv(2**20):
        received += piece
    return hashlib.sha256(received[received.index(b"\r\n\r\n") + 4 :]).digest()


if __name__ == "__main__":
    main()
