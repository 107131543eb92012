"""Editing caption and description in a browser, without scripts and in two tabs."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_an_owner_edits_and_a_second_tab_keeps_what_was_typed(
    server: Server, browser: Browser, tmp_path: Path, size: ViewportSize
):
    width = size["width"]
    owner, plain = (
        Visitor.arrive(browser, server.address, f"edith{width}", scripts=scripts, size=size)
        for scripts in (True, False)
    )
    owner.register("Edith Edits")
    file = tmp_path / "teal.jpg"
    file.write_bytes(jpeg("teal", (600, 400)))
    owner.upload([file], to="", caption="Before")
    owner.go("/images/mine/")
    plain.page.context.add_cookies(owner.page.context.cookies())
    image = owner.image_addresses()[0]
    for tab in (owner, plain):
        tab.go(image)
        tab.page.get_by_role("link", name="Edit caption and description").click()
    owner.look()
    for tab, words in ((plain, "A boat on the beach"), (owner, "Mine")):
        tab.page.get_by_label("Description").fill(words)
        tab.page.get_by_role("button", name="Save").click()
        tab.page.wait_for_load_state()
    assert plain.page.get_by_role("img", name="A boat on the beach").count() == 1
    owner.page.get_by_text("You changed this elsewhere meanwhile").wait_for()
    owner.look()
    assert owner.page.get_by_label("Description").input_value() == "Mine"
    owner.page.get_by_role("button", name="Save").click()
    owner.page.get_by_role("img", name="Mine").wait_for()
