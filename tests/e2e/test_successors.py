"""A successor in the browser, without scripts: named, told once staff disabled the owner, and then
the owner of the image, which its reader opens as before, and of an album."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server
from tests.e2e.test_albums import new_album
from tests.e2e.test_staff import make_superuser, sign_in

pytestmark = IN_A_BROWSER


def disable(staff: Visitor, username: str) -> None:
    staff.go(f"/admin/accounts/user/?q={username}")
    staff.page.get_by_role("link", name=username, exact=True).click()
    staff.page.get_by_role("link", name="Disable").click()
    staff.page.fill("[name=reason]", "left the house")
    staff.page.get_by_label("Username, typed to confirm").fill(username)
    staff.page.get_by_role("button", name="Disable").click()
    staff.page.wait_for_load_state()


@pytest.mark.attack("F151")
def test_a_successor_takes_over_and_the_reader_goes_on(
    server: Server, browser: Browser, tmp_path: Path
):
    make_superuser(server, "overseer.too")
    (tmp_path / "lake.jpg").write_bytes(jpeg("teal", (300, 200)))
    owner, heir, reader = (
        Visitor.arrive(browser, server.address, name, scripts=False, size=PHONE)
        for name in ("ana.owner", "ben.heir", "rita.reader")
    )
    staff = Visitor.arrive(browser, server.address, "overseer.too", scripts=False)
    for visitor, name in ((owner, "Ana"), (heir, "Ben"), (reader, "Rita")):
        visitor.register(name)
    owner.upload([tmp_path / "lake.jpg"], to="rita.reader", caption="At the lake")
    image = owner.image_addresses()[0]
    album = new_album(owner, "Summer")
    owner.go("/successors/")
    assert owner.says("Name only people you would show everything.")
    owner.page.get_by_text("Name successors", exact=True).click()
    owner.page.get_by_label("Name or username").fill("ben.heir")
    owner.press("Name as successors")
    assert owner.says("Ben can take over your images if staff disable your account.")
    assert heir.go(image) == 404
    heir.go("/successors/")
    assert heir.says("Until then you open nothing by this.")
    sign_in(staff)
    disable(staff, "ana.owner")
    heir.go("/activity/")
    heir.page.get_by_role("link", name="Staff disabled the account of").click()
    heir.press("Take over 1 image, 1 album")
    assert heir.says("Yours now: 1 image, 1 album.")
    assert heir.go(image) == reader.go(image) == heir.go(album) == 200
    assert heir.says("Summer")
    assert reader.says("taken over by Ben")
    everybody = (owner, heir, reader, staff)
    assert [one.complaints for one in everybody] == [[], [], [], []]
