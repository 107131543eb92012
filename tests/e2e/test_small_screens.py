"""What stood over something else, or was cut, on a phone: it is all there, and apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER
# A phone on its side, and a small laptop at 200 %: the rail of places is beside the page.
LOW = [{"width": 844, "height": 390}, {"width": 640, "height": 400}]
PHONES = [{"width": 320, "height": 640}, {"width": 390, "height": 844}]


def test_nothing_stands_over_the_lock_and_no_end_is_cut(
    server: Server, browser: Browser, tmp_path: Path
):
    owner, reader = (
        Visitor.arrive(browser, server.address, name, scripts=True) for name in ("orla", "nora")
    )
    owner.register("Orla Owner")
    reader.register("Nora Narrow")
    (tmp_path / "lake.jpg").write_bytes(jpeg("teal", (900, 600)))
    owner.page.goto(f"{server.address}/images/upload/")
    owner.page.set_input_files("[name=images]", tmp_path / "lake.jpg")
    owner.page.fill("#id_recipients", "nora")
    soon = datetime.now(UTC) + timedelta(days=4)
    owner.page.select_option("[name=ends]", "date")
    owner.page.fill("[name=ends_at]", f"{soon:%Y-%m-%dT%H:%M}")
    owner.press("Encrypt and share")
    owner.agree()  # the page that sends it leads on by itself, so it is not looked at
    owner.page.get_by_role("heading", name="encrypted").wait_for()
    page = reader.page
    page.goto(f"{server.address}/images/")
    for size in LOW:
        page.set_viewport_size(size)
        lock = page.get_by_role("button", name="Lock").locator("visible=true").bounding_box()
        you = page.get_by_role("link", name="You").bounding_box()
        assert you["y"] + you["height"] <= lock["y"], size
        assert lock["y"] + lock["height"] <= size["height"], size
        assert lock["x"] + lock["width"] <= 88, size
    for size in PHONES:
        page.set_viewport_size(size)
        end = page.locator(".image-card .pill", has_text=f"Ends {soon:%A}")
        card = page.locator(".image-card").bounding_box()
        box = end.bounding_box()
        assert end.evaluate("pill => pill.scrollWidth <= pill.clientWidth"), size
        assert box["x"] + box["width"] <= card["x"] + card["width"], size
        assert box["y"] + box["height"] <= card["y"] + card["height"], size
