"""`python -m benchmarks.whole_album [IMAGES]`: an album of 2,000 small pictures on the running
server: uploaded into it, shared, downloaded by a member, that member taken out, searched.

Every image is genuine, and each step is what a script does over HTTP.
"""

import io
import sys
import time
from collections.abc import Callable
from zipfile import ZipFile

from PIL import Image

from benchmarks.throwaway import data_folder, say_how_busy
from tests.e2e.http_client import HttpClient
from tests.e2e.server import running

PASSWORD, IMAGES, AT_ONCE, MEMBERS = "correct horse battery", 2000, 50, ("bob", "carol", "dora")


def main() -> None:
    say_how_busy()
    images = int(sys.argv[1]) if sys.argv[1:] else IMAGES
    with data_folder() as data_dir, running(data_dir) as server:
        owner, *members = [HttpClient(server.address) for _ in range(1 + len(MEMBERS))]
        for name, client in zip(("alice", *MEMBERS), (owner, *members), strict=True):
            client.register(name, name.title(), PASSWORD)
        measure(owner, members[0], images)


def measure(owner: HttpClient, member: HttpClient, images: int) -> None:
    album = owner.post("/albums/new/", {"title": "Ward"}).json()["url"]
    print(f"| an album of {images} pictures | seconds |\n|---|---|")
    timed("uploaded into it, 50 a request", lambda: fill(owner, album, images))
    timed("shared with three people", lambda: ok(owner, f"{album}share/", recipients=MEMBERS))
    timed("its first page, for a member", lambda: member.get(album, as_json=False))
    timed("downloaded by a member as ZIP", lambda: downloaded(member, album, images))
    timed("searched by a member, the first time", lambda: searched(member))
    timed("searched again", lambda: searched(member))
    timed("a member taken out", lambda: ok(owner, f"{album}revoke/", recipient=MEMBERS[1]))
    timed("every image encrypted again, as the owner looks at pages", lambda: settled(owner, album))


def timed(what: str, act: Callable[[], object]) -> None:
    begun = time.perf_counter()
    act()
    print(f"| {what} | {time.perf_counter() - begun:.1f} |", flush=True)


def ok(client: HttpClient, path: str, **fields: object) -> dict[str, object]:
    answer = client.post(path, fields)
    assert answer.status in (200, 201), answer.body
    return answer.json()


def fill(owner: HttpClient, album: str, images: int) -> None:
    identifier = album.strip("/").split("/")[-1]
    for start in range(0, images, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, images))
        files = [(f"scan-{number}.jpg", picture(number)) for number in numbers]
        answer = owner.upload(files, album=identifier, caption=f"Ward {start}")
        assert answer.status == 201, answer.body
        assert not answer.json()["not_in_album"], answer.body


def picture(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), (number % 256, number // 256, 99)).save(file, "JPEG")
    return file.getvalue()


def downloaded(member: HttpClient, album: str, images: int) -> None:
    answer = member.post(f"{album}zip/")
    assert len(ZipFile(io.BytesIO(answer.body)).namelist()) == images, answer.body[:500]


def searched(member: HttpClient) -> None:
    while ok(member, "/images/search/", q="ward 0")["left"]:
        pass


def settled(owner: HttpClient, album: str) -> None:
    while owner.get(album).json()["to_relock"]:
        pass


if __name__ == "__main__":
    main()
