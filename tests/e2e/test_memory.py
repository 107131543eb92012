"""What a large picture takes of the memory of a worker: about itself, however it is sealed."""

import random
from io import BytesIO

import pytest
from PIL import Image

from tests.e2e.http_client import HttpClient
from tests.e2e.memory import peak_mb, resident_mb
from tests.e2e.server import Server, running

PASSWORD = "correct horse battery"
SIDE = 2950
MOST_FILES = 1.8  # with what a worker takes for other reasons; two copies were 2.3 and more


def noise(side: int) -> bytes:
    """A picture that does not compress: of the largest side, 25 MB."""
    pixels, file = random.Random(side).randbytes(side * side * 3), BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("memory") / "data") as server:
        yield server


def upload(owner: HttpClient, picture: bytes) -> str:
    answer = owner.upload([("noise.png", picture)], recipients=["bob"])
    assert answer.status == 201, answer.body
    return answer.json()["images"][0]["id"]


def test_a_worker_holds_a_picture_once_while_it_is_sealed_and_sealed_again(server: Server):
    alice, bob = HttpClient(server.address), HttpClient(server.address)
    for client, name in ((alice, "alice"), (bob, "bob")):
        client.register(name, name.title(), PASSWORD)
    picture, small = noise(SIDE), noise(100)
    for _ in range(4):  # what is loaded by the first
        upload(alice, small)
    idle, most_mb = resident_mb(server), MOST_FILES * len(picture) / 2**20
    images: list[str] = []

    def revoke() -> None:
        answer = alice.post(f"/images/{images.pop()}/revoke/", {"recipient": "bob"})
        assert answer.status == 200, answer.body

    for _ in range(4):
        assert peak_mb(server, lambda: images.append(upload(alice, picture))) - idle < most_mb
    while images:
        assert peak_mb(server, revoke) - idle < most_mb
