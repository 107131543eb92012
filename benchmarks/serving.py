"""`make bench`: the running server, over HTTP: how long people wait, and what memory it takes.

Sealed bytes and the same bytes unencrypted (benchmarks/unencrypted.py) come from one server, in
turns, so that a busy machine slows both; what counts is the ratio.
"""

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.pictures import noise, photo
from benchmarks.throwaway import data_folder, say_how_busy
from tests.e2e.http_client import HttpClient
from tests.e2e.memory import peak_mb, resident_mb
from tests.e2e.server import ROOT, Server, environment_of, running

PASSWORD, ROUNDS = "correct horse battery", 7
MOST_RECIPIENTS, THUMBNAILS = 50, 60
CONNECTIONS = 6  # a browser opens so many to one host
AIM, AIM_EACH, AIM_FILES = 0.8, 2.0, 3
THUMBNAIL = re.compile(r'src="(/[^"]+/thumbnail)"')

Act = Callable[[], object]


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir:
        make_readers(data_dir)
        with running(data_dir, "benchmarks.unencrypted_server") as server:
            owner, reader, *_ = measure_waits(server)
            measure_ratios(server, owner, reader)


def make_readers(data_dir: Path) -> None:
    """Make the other recipients of the largest upload; the first is registered over HTTP."""
    command = [sys.executable, "-m", "benchmarks.readers", str(data_dir), str(MOST_RECIPIENTS - 1)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment_of(data_dir, 0))


# ---- waits and memory ------------------------------------------------------------------------


class Waits:
    """A table of how long an act takes, and what memory it takes of a worker above idle."""

    def __init__(self, server: Server) -> None:
        HttpClient(server.address).get("/", as_json=False)
        self.server, self.idle_mb = server, resident_mb(server)
        print(f"(a worker takes {self.idle_mb} MB when idle)\n")
        print("| over HTTP | median, ms | memory above idle, MB |\n|---|---|---|")

    def tell(self, what: str, act: Act) -> None:
        seconds: list[float] = []
        peak = peak_mb(self.server, lambda: seconds.extend(timed(act) for _ in range(ROUNDS)))
        print(f"| {what} | {median_ms(seconds):.0f} | {peak - self.idle_mb} |", flush=True)


def measure_waits(server: Server) -> list[HttpClient]:
    """Tell the first table; return everybody it registered, the owner of all images first."""
    waits, people = Waits(server), list[HttpClient]()
    waits.tell("registration, recovery code made and typed back", lambda: register(server, people))
    form = {"username": "person-0", "password": PASSWORD}
    waits.tell("signing in", lambda: HttpClient(server.address).post("/accounts/login/", form))
    picture, (owner, reader) = noise(), people[:2]
    size = f"{len(picture) / 2**20:.0f} MB"
    for count in (1, 10, MOST_RECIPIENTS):
        waits.tell(f"uploading {size} for {count}", lambda n=count: upload(owner, [picture], n))
    (image,) = upload(owner, [picture], 1)
    waits.tell(f"opening {size}", lambda: reader.get(f"/images/{image}/original"))
    waits.tell("a list of images", lambda: reader.get("/images/", as_json=False))
    print(f"\n(aim for memory: {AIM_FILES} × the file, {AIM_FILES * len(picture) // 2**20} MB)\n")
    return people


def register(server: Server, people: list[HttpClient]) -> None:
    client = HttpClient(server.address)
    client.register(f"person-{len(people)}", f"Person {len(people)}", PASSWORD)
    people.append(client)


def upload(owner: HttpClient, pictures: list[bytes], count: int) -> list[str]:
    """Upload for so many people, the first that registered among them; return the images' ids."""
    names = ["person-1", *(f"reader-{number}" for number in range(count - 1))]
    answer = owner.upload([("x", picture) for picture in pictures], recipients=names)
    assert answer.status == 201, answer.body
    return [image["id"] for image in answer.json()["images"]]


# ---- ratios ----------------------------------------------------------------------------------


def measure_ratios(server: Server, owner: HttpClient, reader: HttpClient) -> None:
    print("| | sealed, ms | unencrypted, ms | ratio | aim |\n|---|---|---|---|---|")
    upload(owner, [photo(number) for number in range(THUMBNAILS)], 1)
    for card in reader.get("/images/").json()["images"]:
        leave_plain(server, reader, card["id"], "thumbnail", card)
    compare(
        f"a page of {THUMBNAILS} thumbnails, all fetched",
        lambda: show_at_once(server, reader, "/images/"),
        lambda: show(server, reader, "/plain/"),
        AIM,
    )
    compare(
        "… each by itself, as without scripts",
        lambda: show(server, reader, "/images/"),
        lambda: show(server, reader, "/plain/"),
        AIM_EACH,
    )


def compare(what: str, sealed: Act, plain: Act, aim: float) -> None:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, act in zip(times, (sealed, plain), strict=True):
            side.append(timed(act))
    ours, theirs = map(median_ms, times)
    print(f"| {what} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} | {aim} |", flush=True)


def leave_plain(
    server: Server, reader: HttpClient, image: str, name: str, card: dict[str, object] | None = None
) -> None:
    """Put a rendition where the server finds it unencrypted, with what its card says."""
    folder = server.data_dir / "plain" / image
    folder.mkdir(parents=True)
    (folder / name).write_bytes(reader.get(f"/images/{image}/{name}").body)
    facts = {fact: card[fact] for fact in ("caption", "name", "width", "height")} if card else {}
    (folder / "facts").write_text(json.dumps(facts))


def show(server: Server, client: HttpClient, path: str) -> None:
    """Fetch a page and then all its thumbnails, as a browser does."""
    headers = {"Cookie": client.cookie_header()}
    page = fetch(server, [path], headers)[0].decode()
    thumbnails = THUMBNAIL.findall(page)
    assert len(thumbnails) == THUMBNAILS, page
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        shares = [thumbnails[number::CONNECTIONS] for number in range(CONNECTIONS)]
        list(pool.map(lambda share: fetch(server, share, headers), shares))


def show_at_once(server: Server, client: HttpClient, path: str) -> None:
    """Fetch a page and then its thumbnails in one answer, as static/js/thumbnails.js does."""
    page = fetch(server, [path], {"Cookie": client.cookie_header()})[0].decode()
    ids = [address.split("/")[2] for address in THUMBNAIL.findall(page)]
    assert len(ids) == THUMBNAILS, page
    answer = client.post("/images/thumbnails/", {"images": ids})
    assert (answer.status, answer.body.count(b"media_type")) == (200, THUMBNAILS)


def fetch(server: Server, paths: list[str], headers: dict[str, str]) -> list[bytes]:
    """Fetch one after another over one connection."""
    connection, bodies = HTTPConnection(urlsplit(server.address).netloc), []
    for path in paths:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        bodies.append(answer.read())
        assert answer.status == 200, bodies[-1]
    connection.close()
    return bodies


def timed(act: Act) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
