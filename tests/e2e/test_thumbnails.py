"""Thumbnails in a browser: in one answer; each by itself where that fails, or without scripts."""

from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER
COLOURS = ("teal", "navy", "olive")


def seen(page: Page) -> int:
    """Wait until all pictures are there; return how many are shown."""
    page.wait_for_load_state("networkidle")
    pictures = page.locator(".thumb img:visible")
    widths = pictures.evaluate_all("all => all.map(one => one.naturalWidth)")
    assert all(widths)
    return len(widths)


def answer_thumbnails_with(page: Page, body: bytes) -> None:
    page.route("**/images/thumbnails/", lambda route: route.fulfill(body=body))


def test_one_answer_brings_all_and_none_is_lost_with_it(
    server: Server, browser: Browser, tmp_path: Path
):
    owner, plain = (
        Visitor.arrive(browser, server.address, "thea", scripts=scripts)
        for scripts in (True, False)
    )
    owner.register("Thea Thumb")
    plain.page.context.add_cookies(owner.page.context.cookies())
    files = [tmp_path / f"{colour}.jpg" for colour in COLOURS]
    for file in files:
        file.write_bytes(jpeg(file.stem, (300, 200)))
    owner.upload(files, to="", caption="Round")

    asked: Counter[str] = Counter()
    for person in (owner, plain):
        person.page.on("request", lambda request: asked.update([request.url.rpartition("/")[0]]))

    def asked_for(person: Visitor) -> tuple[int, int]:
        """Return how often all were asked for in one answer, and one by itself."""
        asked.clear()
        person.page.goto(f"{server.address}/images/mine/")
        assert seen(person.page) == len(COLOURS)
        at_once = asked.pop(f"{server.address}/images/thumbnails", 0)
        return at_once, sum(n for url, n in asked.items() if url.count("/") == 4 and "-" in url)

    assert asked_for(owner) == (1, 0)
    assert asked_for(plain) == (0, 3)
    for broken in (b"", b"\x00\x00\x00\x09{", b"\xff\xff\xff\xff"):
        answer_thumbnails_with(owner.page, broken)
        assert asked_for(owner) == (1, 3)
    owner.page.route("**/images/thumbnails/", lambda route: route.abort())
    assert asked_for(owner) == (1, 3)
    assert plain.complaints == []
