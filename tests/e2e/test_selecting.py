"""Selecting images with keyboard and mouse, and without scripts, and taking people off them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


def test_two_people_lose_three_images_in_few_steps(
    server: Server, browser: Browser, tmp_path: Path
):
    owner, first, second = (
        Visitor.arrive(browser, server.address, name, scripts=True)
        for name in ("olga.sel", "fred.sel", "sara.sel")
    )
    owner.register("Olga Owner")
    first.register("Fred First")
    second.register("Sara Second")
    files = [tmp_path / f"{colour}.jpg" for colour in ("teal", "navy", "olive", "plum")]
    for file in files:
        file.write_bytes(jpeg(file.stem, (300, 200)))
    owner.upload(files, to=f"{first.username}, {second.username}", caption="Round")

    # By keyboard, at a desk: a range with shift and space.
    owner.go("/images/mine/")
    owner.page.get_by_role("link", name="Select").click()
    owner.look()
    boxes, told = owner.page.locator("input[name=images]"), owner.page.locator("[data-selected]")
    assert told.inner_text() == "Nothing selected"
    boxes.nth(0).focus()
    owner.page.keyboard.press("Space")
    owner.page.keyboard.press("Tab")
    owner.page.keyboard.press("Tab")
    owner.page.keyboard.press("Shift+Space")
    assert told.inner_text() == "3 selected"
    remove(owner, "Fred First", 3)
    assert owner.page.get_by_text("Fred First can no longer open this image.").count() == 3

    # By mouse, on a phone: all, without the last one.
    owner.go("/images/mine/?select=1")
    owner.page.set_viewport_size(PHONE)
    owner.page.get_by_role("button", name="All on this page").click()
    assert told.inner_text() == "4 selected"
    owner.page.get_by_role("button", name="Select none").click()
    cards = owner.page.locator("label.selectable")
    cards.nth(0).click(position={"x": 80, "y": 60})
    cards.nth(2).click(position={"x": 80, "y": 60}, modifiers=["Shift"])
    assert told.inner_text() == "3 selected"
    assert not boxes.nth(3).is_checked()
    remove(owner, "Sara Second", 3)
    owner.page.set_viewport_size(DESKTOP)

    # Somebody they exchanged images with is found while one types.
    owner.go("/images/upload/")
    owner.page.get_by_label("Name or username", exact=True).press_sequentially("irst")
    found = owner.page.locator(".found label.choice", has_text="Fred First")
    found.click()
    assert owner.page.get_by_label("Name or username", exact=True).input_value() == ""
    assert "Only Fred First and you" in owner.page.locator("[data-summary]").inner_text()
    owner.look()

    for reader in (first, second):
        reader.go("/images/")
        assert len(reader.image_addresses()) == 1
    assert owner.complaints + first.complaints + second.complaints == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_without_scripts_one_is_taken_off_two_of_three_images(
    server: Server, browser: Browser, tmp_path: Path, size: ViewportSize
):
    owner, reader = (
        Visitor.arrive(browser, server.address, f"{name}{size['width']}", scripts=False, size=size)
        for name in ("otto.sel", "rita.sel")
    )
    owner.register("Otto Owner")
    reader.register("Rita Reader")
    files = [tmp_path / f"{colour}.jpg" for colour in ("teal", "navy", "olive")]
    for file in files:
        file.write_bytes(jpeg(file.stem, (300, 200)))
    owner.upload(files, to=reader.username, caption="Round")
    owner.go("/images/mine/?select=1")
    for n in (0, 2):
        owner.page.locator("label.selectable").nth(n).click(position={"x": 80, "y": 60})
    remove(owner, "Rita Reader", 2)
    reader.go("/images/")
    assert len(reader.image_addresses()) == 1
    assert owner.complaints + reader.complaints == []


def remove(owner: Visitor, name: str, count: int) -> None:
    owner.press("End access…")
    row = owner.page.locator("label.choice", has_text=name)
    assert f"{count} of {count} images" in row.inner_text()
    row.click()
    owner.press("End access of the chosen people")
    assert owner.says(f"All {count} images are done.")
