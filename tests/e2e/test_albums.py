"""An album in the browser: its owner, a member, a former member, a newcomer by invitation, people
of a team and a stranger; on a phone, and at a desk without scripts."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PASSWORD, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


def new_album(owner: Visitor, title: str) -> str:
    owner.go("/albums/")
    owner.page.get_by_text("New album", exact=True).click()
    owner.page.get_by_label("Title").fill(title)
    owner.press("Make the album")
    assert owner.says(title)
    return owner.page.url.removeprefix(owner.address)


def upload_into(
    person: Visitor, album: str, files: list[Path], caption: str, *, is_asked: bool = False
) -> list[str]:
    """Upload into an album; return the addresses of its images, the newest first."""
    person.go(album)
    person.page.get_by_role("link", name="Upload into this album").click()
    person.page.fill("[name=caption]", caption)
    person.send(files, is_asked=is_asked)
    assert person.go(album) == 200
    return person.image_addresses()


def open_share_form(owner: Visitor, album: str) -> None:
    owner.go(album)
    form = owner.page.locator("#who form[data-people]")
    if not form.is_visible():
        owner.page.locator("#who > details > summary").last.click()


def share(owner: Visitor, album: str, *, rights: str) -> None:
    """Share the album with what is chosen in the form."""
    owner.page.locator(f"#who [name=rights][value={rights}]").check()
    owner.page.locator("#who").get_by_role("button", name="Next: check").click()
    assert owner.says("you will be able to open the album")
    owner.say_yes()


def download_all(person: Visitor, album: str) -> list[str]:
    """Return the names in the ZIP of an album."""
    person.go(album)
    with person.page.expect_download() as waiting:
        person.page.get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    ("scripts", "size"), [(True, PHONE), (False, DESKTOP)], ids=["phone", "no-scripts"]
)
def test_an_album_opens_to_its_members_alone(
    server: Server, browser: Browser, tmp_path: Path, scripts: bool, size: ViewportSize
):
    ending = "p" if scripts else "n"
    owner, member, colleague, guest, stranger = (
        Visitor.arrive(browser, server.address, f"{name}.al{ending}", scripts=scripts, size=size)
        for name in ("olga", "mia", "cora", "gina", "mallory")
    )
    owner.register("Olga Owner")
    member.register("Mia Member")
    colleague.register("Cora Colleague")
    stranger.register("Mallory Mole")
    files = [tmp_path / f"{colour}.jpg" for colour in ("teal", "navy", "plum")]
    for file in files:
        file.write_bytes(jpeg(file.stem, (300, 200)))

    # Before it is shared only its owner opens it.
    album = new_album(owner, "Skin checks")
    images = upload_into(owner, album, files[:2], "Left arm")
    assert len(images) == 2
    assert [person.status(album) for person in (member, stranger)] == [404, 404]

    # A member looks, and may not download.
    open_share_form(owner, album)
    owner.page.fill("#id_recipients", member.username)
    share(owner, album, rights="view")
    assert owner.says("Mia Member")
    member.go("/albums/")
    member.page.get_by_role("link", name="Skin checks").click()
    member.look()
    assert member.says("You may view what is in this album.")
    assert member.image_addresses() == images
    assert member.go(images[0]) == 200
    assert member.says("Left arm")
    assert member.status(f"{images[0]}original") == 403
    assert [stranger.status(address) for address in (album, *images)] == [404] * 3

    # A member adds, once the owner allows it; and what is added later opens to everybody.
    owner.go(album)
    owner.page.get_by_text("Title, description and rules", exact=True).click()
    owner.page.get_by_label("Members may add images of their own").check()
    owner.press("Change")
    after = upload_into(member, album, files[2:], "Mia’s", is_asked=True)
    added = [one for one in after if one not in images]
    owner.go(album)
    assert set(owner.image_addresses()) == {*images, *added}
    assert len(download_all(owner, album)) == 3

    # Somebody without an account, and a team that grows.
    owner.go("/invitations/")
    owner.page.fill("[name=display_name]", "Gina Guest")
    owner.press("Next: check")
    owner.say_yes()
    link = owner.page.locator("#link").input_value().removeprefix(server.address)
    owner.go("/teams/new/")
    owner.page.get_by_label("Name", exact=True).fill("Night shift")
    owner.press("Make the team")
    team = owner.page.url.removeprefix(server.address)
    open_share_form(owner, album)
    owner.page.get_by_label("Gina Guest").check()
    owner.page.get_by_label("Night shift").check()
    owner.page.get_by_label("Also people who join later").check()
    share(owner, album, rights="download")
    assert owner.says("invited, link not used yet")
    guest.go(link)
    guest.page.fill("[name=username]", guest.username)
    guest.page.fill("[name=display_name]", "Gina Guest")
    guest.page.fill("[name=password1]", PASSWORD)
    guest.page.fill("[name=password2]", PASSWORD)
    guest.press("Make my account")
    assert colleague.status(album) == 404
    owner.go(team)
    owner.page.get_by_text("Add people", exact=True).click()
    owner.page.get_by_label("Name or username").fill(colleague.username)
    owner.press("Next: check")
    owner.say_yes()
    for person in (guest, colleague):
        assert person.go(album) == 200
        assert set(person.image_addresses()) == {*images, *added}
        assert [person.status(address) for address in (*images, *added)] == [200] * 3
        assert len(download_all(person, album)) == 3

    # A former member has nothing, and takes along what they added.
    owner.go(album)
    owner.page.locator("summary", has_text="End Mia Member’s access").click()
    owner.page.locator("#who details[open]").get_by_role("button", name="End access").click()
    owner.look()
    assert "Mia Member" not in owner.page.locator("#who").inner_text()
    assert member.go(album) == 410
    assert [member.status(address) for address in images] == [410, 410]
    assert member.status(added[0]) == 200
    assert guest.go(album) == 200
    assert set(guest.image_addresses()) == {*images}
    assert guest.status(added[0]) == 410
    assert [stranger.status(address) for address in (album, *images, *added)] == [404] * 4

    # Whoever leaves the team leaves its albums, and nobody opens one that is deleted.
    colleague.go(team)
    colleague.page.get_by_text("Leave the team", exact=True).click()
    colleague.press("Leave")
    assert [colleague.status(address) for address in (album, images[0])] == [410, 410]
    owner.go(album)
    owner.page.get_by_text("Delete this album", exact=True).click()
    owner.press("Delete the album for everybody")
    assert [guest.status(address) for address in (album, images[0])] == [410, 410]
    assert owner.status(images[0]) == 200

    people = (owner, member, colleague, guest, stranger)
    assert [complaint for person in people for complaint in person.complaints] == []
