"""Successors in the browser: one named for everything and one for an album alone, told once staff
disabled the owner, and then the owners of an image, which its reader opens as before, and of the
album with the image in it."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import Server
from tests.e2e.test_albums import new_album, upload_into
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


def name(owner: Visitor, username: str, *, check: str, said: str) -> None:
    """On the page where somebody is named: choose them, read the check, and say yes."""
    owner.page.get_by_text("Name successors", exact=True).click()
    owner.page.get_by_label("Name or username").fill(username)
    owner.press("Next: check")
    assert owner.says(check)
    owner.look()
    owner.say_yes()
    assert owner.says(said)
    owner.look()


@pytest.mark.attack("F151", "F220")
@pytest.mark.parametrize(
    ("size", "scripts"), [(PHONE, False), (DESKTOP, True)], ids=["phone", "desktop"]
)
def test_a_successor_takes_over_and_the_reader_goes_on(
    server: Server, browser: Browser, tmp_path: Path, size: ViewportSize, scripts: bool
):
    where = f"at{size['width']}"
    make_superuser(server, f"overseer.{where}")
    for file, colour in (("lake.jpg", "teal"), ("hill.jpg", "olive")):
        (tmp_path / file).write_bytes(jpeg(colour, (300, 200)))
    owner, heir, next_one, reader = (
        Visitor.arrive(browser, server.address, f"{name}.{where}", scripts=scripts, size=size)
        for name in ("ana", "ben", "cleo", "rita")
    )
    staff = Visitor.arrive(browser, server.address, f"overseer.{where}", scripts=False)
    for visitor, called in ((owner, "Ana"), (heir, "Ben"), (next_one, "Cleo"), (reader, "Rita")):
        visitor.register(called)
    owner.upload([tmp_path / "lake.jpg"], to=reader.username, caption="At the lake")
    image = owner.image_addresses()[0]
    album = new_album(owner, "Summer")
    upload_into(owner, album, [tmp_path / "hill.jpg"], "Up the hill")
    owner.go("/successors/")
    assert owner.says("Name only people you would show everything.")
    name(
        owner,
        heir.username,
        check="can take over all your images, albums and teams.",
        said="Ben can take over your images if staff disable your account.",
    )
    owner.go(album)
    owner.page.get_by_role("link", name="Successors of this album").click()
    assert owner.says("You have named nobody for this album alone.")
    name(
        owner,
        next_one.username,
        check="can take over the album “Summer”, and your images in it.",
        said="Cleo can take over this album if staff disable your account.",
    )
    owner.page.get_by_role("link", name="Your successors").click()
    assert owner.says("Albums with successors of their own")
    owner.look()
    assert heir.go(image) == next_one.go(album) == 404
    heir.go("/successors/")
    assert heir.says("Until then you open nothing by this.")
    next_one.go("/successors/")
    assert next_one.says("named you for one album")
    next_one.look()
    sign_in(staff)
    disable(staff, owner.username)
    next_one.go("/activity/")
    next_one.page.get_by_role("link", name="Staff disabled the account of").click()
    next_one.look()
    next_one.press("Take over 1 image, 1 album")
    assert next_one.says("Yours now: 1 image, 1 album.")
    assert (next_one.go(image), next_one.go(album)) == (404, 200)
    assert next_one.says("Summer")
    heir.go("/successors/")
    heir.press("Take over 1 image")
    assert heir.says("Yours now: 1 image.")
    assert (heir.go(image), reader.go(image), heir.go(album)) == (200, 200, 404)
    reader.go(image)
    assert reader.says("taken over by Ben")
    everybody = (owner, heir, next_one, reader, staff)
    assert [one.complaints for one in everybody] == [[]] * 5
