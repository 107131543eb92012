"""A team in the browser: who joins opens what was shared before, and who left opens none of it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


def add(owner: Visitor, team: str, newcomer: Visitor) -> None:
    owner.go(team)
    owner.page.get_by_text("Add people", exact=True).click()
    owner.page.get_by_label("Name or username").fill(newcomer.username)
    owner.press("Next: check")
    assert owner.says("will be in the team")
    owner.say_yes()
    assert owner.says("can open what was and will be shared with this team.")


@pytest.mark.attack("F140", "F142")
@pytest.mark.parametrize(
    ("scripts", "size"), [(True, PHONE), (False, DESKTOP)], ids=["phone", "no-scripts"]
)
def test_a_newcomer_opens_what_was_shared_before_and_after_leaving_nothing(
    server: Server, browser: Browser, tmp_path: Path, scripts: bool, size: ViewportSize
):
    owner, member, newcomer = (
        Visitor.arrive(browser, server.address, f"{name}.{scripts:d}", scripts=scripts, size=size)
        for name in ("olga.team", "mia.team", "nico.team")
    )
    owner.register("Olga Owner")
    member.register("Mia Member")
    newcomer.register("Nico New")
    file = tmp_path / "lake.jpg"
    file.write_bytes(jpeg("teal", (300, 200)))

    owner.go("/teams/new/")
    owner.page.get_by_label("Name", exact=True).fill("Imaging desk")
    owner.look()
    owner.press("Make the team")
    team = owner.page.url.removeprefix(server.address)
    add(owner, team, member)

    owner.upload([file], to="", caption="At the lake")
    owner.go(image := owner.image_addresses()[0])
    owner.page.get_by_label("Imaging desk").check()
    assert owner.says("Only the 2 people in it now")
    owner.page.get_by_label("Also people who join later").check()
    owner.look()
    owner.press("Next: check")
    assert owner.says("Only the people in the team “Imaging desk” and you")
    owner.say_yes()
    assert owner.says("Everybody in the team can open this image, and people who join it later.")
    assert owner.says("also people who join later")
    assert newcomer.go(image) == 404

    add(owner, team, newcomer)
    owner.look()
    newcomer.go("/images/")
    assert newcomer.says("At the lake")
    assert newcomer.go(image) == 200
    newcomer.go("/teams/")
    assert newcomer.says("3 people")
    newcomer.page.get_by_role("link", name="Imaging desk").click()
    newcomer.look()
    newcomer.page.get_by_text("Leave the team", exact=True).click()
    newcomer.press("Leave")
    assert newcomer.says("You have left the team.")
    assert newcomer.go(image) == 410
    assert newcomer.go(team) == 410

    owner.go(team)
    assert not owner.says("Nico New")
    assert member.go(image) == 200
    assert [one.complaints for one in (owner, member, newcomer)] == [[], [], []]
