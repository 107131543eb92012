"""Somebody without an account, in a real browser: invited, accepted, open at once; and refused."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PASSWORD, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER
CODE = "blue river 42"
PICTURES = os.environ.get("PICTURES_OF_INVITATIONS", "")  # a folder to keep what pages look like


def photograph(page: Page, name: str) -> None:
    for width in (390, 1280) if PICTURES else ():
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            path = Path(PICTURES) / f"{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)


def accept(guest: Visitor, link: str, spoken_code: str = "") -> None:
    assert guest.go(link) == 200
    photograph(guest.page, "accept")
    if spoken_code:
        guest.page.fill("[name=spoken_code]", spoken_code)
    guest.page.fill("[name=username]", guest.username)
    guest.page.fill("[name=display_name]", "Ann Lee")
    guest.page.fill("[name=password1]", PASSWORD)
    guest.page.fill("[name=password2]", PASSWORD)
    guest.press("Make my account")


def link_on(page: Page, server: Server) -> str:
    return page.locator("#link").input_value().removeprefix(server.address)


@pytest.mark.attack("E15")
@pytest.mark.parametrize(
    ("scripts", "size"), [(True, PHONE), (False, DESKTOP)], ids=["phone", "no-scripts"]
)
def test_a_newcomer_opens_at_once_what_was_shared_with_them(
    server: Server, browser: Browser, tmp_path: Path, scripts: bool, size: ViewportSize
):
    ending = "s" if scripts else "n"
    owner, guest, late, other = (
        Visitor.arrive(browser, server.address, name + ending, scripts=scripts, size=size)
        for name in ("owner", "annlee", "late", "bob")
    )
    owner.register("Orla Owner")
    other.register("Bob Brook")
    (tmp_path / "lake.jpg").write_bytes(jpeg("teal", (300, 200)))
    owner.upload([tmp_path / "lake.jpg"], to="", caption="At the lake")
    owner.go("/images/mine/")
    (image,) = owner.image_addresses()

    # In the act of sharing: a link, shown once.
    owner.go(image)
    owner.page.locator("summary", has_text="Somebody without an account").click()
    owner.page.fill("[name=invite-display_name]", "Dr. Lee")
    owner.page.fill("[name=invite-spoken_code]", CODE)
    photograph(owner.page, "share")
    owner.press("Next: check")
    photograph(owner.page, "check")
    assert owner.says("Only Dr. Lee (invited) and you will be able to open this image.")
    owner.say_yes()
    photograph(owner.page, "made")
    link = link_on(owner.page, server)
    owner.go(image)
    photograph(owner.page, "invited")
    assert owner.says("not yet accepted")

    # Another, who turns out to have an account; and one that is taken back.
    owner.go("/invitations/")
    owner.page.fill("[name=display_name]", "Bob")
    owner.press("Next: check")
    owner.say_yes()
    bobs = link_on(owner.page, server)
    other.go(bobs)
    photograph(other.page, "claim")
    other.press("This invitation is for me")
    owner.go("/invitations/")
    photograph(owner.page, "list")
    owner.press("Agree")
    assert late.go(bobs) == 404

    # The newcomer types the wrong words first.
    accept(guest, link, "red river 42")
    assert guest.says("This is not the spoken code")
    accept(guest, link, CODE)
    guest.go(image)
    assert guest.says("At the lake")
    assert guest.page.locator("figure img").evaluate("image => image.naturalWidth") == 300
    assert late.go(link) == 404
    assert late.says("This invitation does not work")
    photograph(late.page, "gone")
    owner.go(image)
    assert owner.says("Ann Lee")

    owner.go("/invitations/")
    owner.page.fill("[name=display_name]", "Mx. Moss")
    owner.press("Next: check")
    owner.say_yes()
    taken = link_on(owner.page, server)
    owner.go("/invitations/")
    owner.page.locator("summary", has_text="Take back").first.click()
    owner.press("Take the invitation back")
    assert late.go(taken) == 404
    people = (owner, guest, late, other)
    assert [complaint for person in people for complaint in person.complaints] == []
    log = server.log.read_text()
    assert not any(path.strip("/").rpartition("/")[2] in log for path in (link, bobs, taken))
