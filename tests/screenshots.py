"""A picture of every page, wide and narrow, light and dark, and sheets to look over them at once:
`make screenshots` (FOLDER=var/screenshots, LOCALE=de).

Which pages there are is read from the rows of the roles (tests/imageshare/roles.py), so that a new
one is not forgotten. Of an address with an id in it one page is taken, of an image, an album or a
team of the demonstration.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps
from playwright.sync_api import Browser, Error, Page

from tests.e2e.browser import chromium
from tests.e2e.server import ROOT, running
from tests.imageshare.roles import ROWS
from tests.pictures import DESKTOP, PHONE, fill, sign_in

IMAGES = 48
OWNER, STAFF = "ana", "overseer"
OF_STAFF = [
    *("", "accounts/user/", "accounts/invite/", "accounts/keypair/", "audit/auditentry/"),
    *("gallery/sealedimage/", "gallery/circle/", "gallery/invitation/", "gallery/notice/"),
]
# Where the ids of addresses are found: a list, and what links on it look like.
LISTS = {
    "image_id": ("/images/mine/", r"/images/([0-9a-f-]{36})/"),
    "album_id": ("/albums/", r"/albums/([0-9a-f-]{36})/"),
    "team_id": ("/teams/", r"/teams/([0-9a-f-]{36})/"),
}
LONGEST = 2400  # pixels of a page
SECONDS = 3
CELL, ACROSS = (300, 400), 8  # of a sheet


def main(folder: Path, locale: str) -> None:
    with tempfile.TemporaryDirectory() as data, running(Path(data) / "data") as server:
        passwords = fill(Path(data) / "data", server.port, "--images", str(IMAGES))
        with chromium() as browser:
            for size in (PHONE, DESKTOP):
                for scheme in ("light", "dark"):
                    name = f"{scheme}-{size['width']}"
                    looks = (size, scheme, locale, folder / name)
                    taken = [*_take(browser, server.address, passwords, *looks)]
                    sheet(taken, folder / f"{name}.jpg")
                    print(f"{folder / name}.jpg: {len(taken)} pages")


def _take(
    browser: Browser,
    address: str,
    passwords: dict[str, str],
    size: dict,
    scheme: str,
    locale: str,
    folder: Path,
) -> Iterator[Path]:
    """Take the pages of a visitor, of an owner, and of staff."""
    folder.mkdir(parents=True, exist_ok=True)
    visitor = browser.new_context(viewport=size, color_scheme=scheme, locale=locale).new_page()
    yield from _each(visitor, address, pages_of(0), folder, "visitor")
    for person in (OWNER, STAFF):
        page = sign_in(
            browser, address, person, passwords[person], size, scheme, locale=locale, scale=1
        )
        wanted = filled(page, address, pages_of(-1)) if person == OWNER else staff_pages()
        yield from _each(page, address, wanted, folder, person)
        page.context.close()
    visitor.context.close()


def pages_of(role: int) -> list[str]:
    """Return the addresses that answer with 200 to this column of the roles."""
    return [address for address, (got, _posted) in ROWS.items() if got[role] == 200]


def staff_pages() -> list[str]:
    return [f"admin/{place}" for place in OF_STAFF]


def filled(page: Page, address: str, wanted: list[str]) -> Iterator[str]:
    """Yield addresses with their ids filled in; those whose ids are on no list are left out."""
    known = {"username": "ben"}
    for name, (listed, pattern) in LISTS.items():
        page.goto(address + listed)
        if found := re.search(pattern, page.content()):
            known[name] = found[1]
    for one in wanted:
        try:
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda part: known[part[1]], one)
        except KeyError:
            continue


def _each(
    page: Page, address: str, wanted: Iterator[str] | list[str], folder: Path, whose: str
) -> Iterator[Path]:
    for number, one in enumerate(wanted):
        answer = page.request.get(f"{address}/{one}")
        if answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
            continue
        page.goto(f"{address}/{one}")
        with suppress(Error):  # a page that keeps asking is taken as it stands
            page.wait_for_load_state("networkidle", timeout=SECONDS * 1000)
        short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", one).strip("/").replace("/", "_")
        path = folder / f"{whose}-{number:02}-{short or 'home'}.png"
        high = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": min(high, LONGEST)}
        page.screenshot(path=path, full_page=True, clip=clip)
        yield path


def sheet(taken: list[Path], to: Path) -> None:
    """Put the pictures on one, each with its name."""
    wide, high = CELL
    rows = -(-len(taken) // ACROSS)
    picture = Image.new("RGB", (wide * ACROSS, (high + 20) * rows), "grey")
    draw = ImageDraw.Draw(picture)
    for number, path in enumerate(taken):
        x, y = number % ACROSS * wide, number // ACROSS * (high + 20)
        with Image.open(path) as one:
            picture.paste(ImageOps.contain(one.convert("RGB"), (wide - 8, high)), (x, y + 20))
        draw.text((x, y + 4), path.stem[:46], "white")
    picture.save(to, quality=85)


if __name__ == "__main__":
    main(ROOT / (sys.argv[1] if sys.argv[1:] else "var/screenshots"), (sys.argv[2:] or ["en"])[0])
