"""Nothing plain at rest: not during an upload, not after it; and the search would find it.

Searched: both databases with their logs, the images, the audit file, the temporary folder, what
the server printed, and every file its processes hold open, deleted ones too.
"""

import base64
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests import postgres
from tests.e2e.http_client import HttpClient, multipart
from tests.e2e.server import REAL, ROOT, Server, environment_of, running

PASSWORD = "canary-password-7316"
CAPTION = "canary-caption-on-the-lake-4471"
FILE_NAME = "canary-file-name-9928.jpg"


def noise() -> bytes:
    """A picture that does not compress: any slice of it is found nowhere else.

    7 MB: Django's own handlers write what is over 2.5 MB to a temporary file.
    """
    pixels = random.Random(7).randbytes(1500 * 1500 * 3)
    file = BytesIO()
    Image.frombytes("RGB", (1500, 1500), pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def slices(data: bytes) -> list[bytes]:
    return [data[start : start + 48] for start in range(1000, len(data) - 48, len(data) // 40)]


def spellings(needle: bytes) -> Iterator[bytes]:
    """The needle raw, in hex, and in base64 at each of its three phases."""
    yield needle
    yield needle.hex().encode()
    yield needle.hex().upper().encode()
    for phase in range(3):
        encoded = base64.b64encode(b"\0" * phase + needle)
        yield encoded[4 : len(encoded) - 4]


def everything_at_rest(server: Server) -> dict[str, bytes]:
    places = {str(path): path for path in server.data_dir.rglob("*") if path.is_file()}
    places[str(server.log)] = server.log
    for process in server.processes():
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            target = os.readlink(descriptor)
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                places[f"{process}:{target}"] = descriptor
    held = {name: path.read_bytes() for name, path in places.items() if path.exists()}
    if postgres.SERVER:
        held["PostgreSQL"] = postgres.content_of(postgres.database_of(server.data_dir))
    return held


def found(server: Server, needles: dict[str, list[bytes]]) -> set[str]:
    """Return which needles are found anywhere, in any spelling."""
    held = b"\n".join(everything_at_rest(server).values())
    return {
        name
        for name, several in needles.items()
        if any(spelling in held for needle in several for spelling in spellings(needle))
    }


def half_an_upload(server: Server, client: HttpClient, body: bytes, kind: str) -> socket.socket:
    """Send the head and half of the body, and leave it at that."""
    host = urlsplit(server.address)
    connection = socket.create_connection((host.hostname, host.port), timeout=60)
    head = (
        f"POST /images/upload/ HTTP/1.1\r\nHost: {host.netloc}\r\nAccept: application/json\r\n"
        f"Cookie: {client.cookie_header()}\r\nX-CSRFToken: {client._token()['X-CSRFToken']}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    connection.sendall(head.encode() + body[: len(body) // 2])
    wait_until_it_was_read(connection)
    return connection


def wait_until_it_was_read(connection: socket.socket) -> None:
    """Return once the server has taken everything sent so far out of its receive queue."""
    ours, theirs = (
        f":{end[1]:04X}" for end in (connection.getsockname(), connection.getpeername())
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        queues = [row[4] for row in rows if {row[1][-5:], row[2][-5:]} == {ours, theirs}]
        if set(queues) == {"00000000:00000000"}:
            return
        time.sleep(0.02)
    raise AssertionError("the server does not read what was sent")


def keys_of(server: Server, username: str, password: str) -> dict[str, list[bytes]]:
    """Return the keys this person's password opens, from a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.e2e.reveal_keys", username, password],
        cwd=ROOT,
        env=environment_of(server.data_dir, server.port),
        capture_output=True,
        check=True,
    )
    return {
        name: [bytes.fromhex(key) for key in keys]
        for name, keys in json.loads(answer.stdout).items()
    }


def upload_canaries(server: Server, picture: bytes) -> tuple[dict[str, list[bytes]], set[str]]:
    """Register and upload; return what must be found nowhere, and what was found half-way."""
    client = HttpClient(server.address)
    code = client.register("canary", "Carla Canary", PASSWORD)
    needles = {
        "picture": slices(picture),
        "caption": [CAPTION.encode()],
        "file name": [FILE_NAME.encode()],
        "password": [PASSWORD.encode()],
        "recovery code": [code.encode(), code.replace("-", "").encode()],
    }
    kind, body = multipart([(FILE_NAME, picture)], {"caption": CAPTION, "keep_details": "1"})
    connection = half_an_upload(server, client, body, kind)
    half_way = found(server, needles)
    connection.sendall(body[len(body) // 2 :])
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    assert b" 201 " in answer[:20], answer[:500]
    return needles, half_way


@pytest.mark.attack("A1", "A2", "A3", "E14")
def test_nothing_plain_is_at_rest_during_or_after_an_upload(data_dir: Path):
    with running(data_dir, REAL) as server:
        needles, half_way = upload_canaries(server, noise())
        assert half_way == set()
        needles.update(keys_of(server, "canary", PASSWORD))
        assert {"master key", "content keys", "private keys", "MAC keys"} <= needles.keys()
        assert found(server, needles) == set()


def test_the_search_finds_them_when_encryption_is_switched_off(data_dir: Path):
    with running(data_dir, module="tests.e2e.without_encryption") as server:
        needles, half_way = upload_canaries(server, noise())
        assert half_way >= {"picture", "password"}
        assert found(server, needles) >= {"picture", "caption", "file name", "password"}


@pytest.mark.parametrize("spelling", list(spellings(b"canary-needle-in-a-haystack")))
def test_every_spelling_is_searched_for(spelling: bytes):
    assert spelling in b"hay " + spelling + b" hay"
