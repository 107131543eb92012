"""Looking at one picture after the other: by keys, links, and where one is refused meanwhile."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_somebody_looks_through_a_list(
    server: Server, browser: Browser, tmp_path: Path, size: ViewportSize
):
    width = size["width"]
    owner, reader, plain = (
        Visitor.arrive(browser, server.address, f"{name}{width}", scripts=scripts, size=size)
        for name, scripts in (("vera", True), ("walt", True), ("walt", False))
    )
    owner.register("Vera Viewed")
    reader.register("Walt Walks")
    plain.page.context.add_cookies(reader.page.context.cookies())
    files = [tmp_path / f"{colour}.jpg" for colour in ("teal", "navy", "olive")]
    for file in files:
        file.write_bytes(jpeg(file.stem, (600, 900)))
    owner.upload(files, to=reader.username, caption="Round")
    reader.go("/images/")
    images = reader.image_addresses()

    page, asked = reader.page, list[str]()
    page.on("request", lambda request: asked.append(request.url.removeprefix(server.address)))
    page.locator("a.image-card").first.click()
    page.wait_for_load_state("networkidle")
    reader.look()
    download = page.get_by_role("link", name="Download the original").bounding_box()
    bar = 56 if size is PHONE else 0
    assert download["y"] + download["height"] <= size["height"] - bar
    assert "/images/thumbnails/" in asked
    assert not [url for url in asked if url.startswith((images[1], images[2]))]

    page.locator("[data-stage]").focus()
    page.keyboard.press("ArrowRight")
    announced = page.locator("[data-announced]")
    announced.get_by_text("Image 2 of 3, from Vera Viewed").wait_for(state="attached")
    assert images[1] in page.url
    page.keyboard.press("f")
    page.locator(".viewer.full").wait_for()
    page.keyboard.press("ArrowRight")
    announced.get_by_text("Image 3 of 3").wait_for(state="attached")
    assert page.locator(".viewer.full").count() == 1
    page.keyboard.press("i")
    assert page.locator("[data-side]").is_visible()
    page.keyboard.press("Escape")
    page.locator(".viewer:not(.full)").wait_for()
    page.keyboard.press("+")
    assert page.locator(".stage.zoomed").count() == 1
    page.keyboard.press("0")
    assert page.locator(".stage.zoomed").count() == 0

    # Taken back meanwhile: the page says so, and shows nothing of it.
    form = owner.page.request
    token = owner.page.evaluate("document.cookie.match(/csrftoken=([^;]*)/)[1]")
    answer = form.post(
        f"{server.address}{images[1]}revoke/",
        form={"recipient": reader.username},
        headers={"X-CSRFToken": token, "Accept": "application/json"},
    )
    assert answer.ok
    page.locator("a[rel=prev]").click()
    page.wait_for_url(f"**{images[1]}**")
    assert page.locator("[data-picture]").count() == 0

    # Without scripts the same links lead to the same pages.
    plain.go("/images/")
    plain.page.locator("a.image-card").first.click()
    plain.page.get_by_role("link", name="Next image").click()
    plain.look()
    assert images[2] in plain.page.url
    assert owner.complaints + reader.complaints + plain.complaints == []
