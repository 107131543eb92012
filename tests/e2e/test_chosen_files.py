"""Files that somebody chose stay chosen, whatever is refused; and nothing is sent in vain."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Request

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PASSWORD, PHONE, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def eva(server: Server, browser: Browser) -> Visitor:
    visitor = Visitor.arrive(browser, server.address, "eva.chooses", scripts=True)
    visitor.register("Eva Ember")
    return visitor


@pytest.fixture(scope="module")
def emil(server: Server, browser: Browser) -> Visitor:
    visitor = Visitor.arrive(browser, server.address, "emil.receives", scripts=True)
    visitor.register("Emil Edge")
    return visitor


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    path = tmp_path / "lake.jpg"
    path.write_bytes(jpeg("teal", (900, 600)))
    return path


class Sent:
    """The uploads that left a browser, checks not counted."""

    def __init__(self, visitor: Visitor) -> None:
        self.uploads: list[str] = []
        visitor.page.on("request", self._see)

    def _see(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/images/upload/"):
            self.uploads.append(request.url)


def choose(visitor: Visitor, *files: Path, to: str, caption: str = "Summer") -> None:
    visitor.go("/images/upload/")
    if files:
        visitor.page.set_input_files("[name=images]", list(files))
    visitor.page.fill("[name=caption]", caption)
    visitor.page.fill("#id_recipients", to)


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()


def say_yes(visitor: Visitor) -> None:
    visitor.page.locator("button[name=confirmed][value='1']").click()


def chosen(visitor: Visitor) -> list[str]:
    names = "input => [...input.files].map(file => file.name)"
    return visitor.page.locator("[name=images]").evaluate(names)


def waits_for(visitor: Visitor, text: str) -> None:
    visitor.page.get_by_text(text).locator("visible=true").first.wait_for()


def in_another_tab(visitor: Visitor, button: str) -> None:
    tab = visitor.page.context.new_page()
    tab.goto(f"{visitor.address}/accounts/security/")
    tab.get_by_role("button", name=button).locator("visible=true").first.click()
    tab.wait_for_load_state()
    tab.close()


@pytest.mark.attack("F50")
def test_a_misspelt_name_is_named_before_a_file_is_sent(eva, emil, lake):
    sent = Sent(eva)
    choose(eva, lake, to="emil.recieves")
    eva.page.check("[name=rights][value=view]")
    press(eva, "Encrypt and share")
    waits_for(eva, "Nobody here is called “emil.recieves”")
    eva.look()
    assert sent.uploads == []
    assert chosen(eva) == ["lake.jpg"]
    assert eva.page.input_value("[name=caption]") == "Summer"
    assert eva.page.is_checked("[name=rights][value=view]")
    assert not eva.says("the browser did not keep them")
    eva.page.fill("#id_recipients", emil.username)
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    eva.look()
    assert len(sent.uploads) == 1
    assert eva.says("Only Emil Edge and you can open what you uploaded.")
    assert eva.complaints == []


@pytest.mark.attack("F50")
def test_too_much_at_once_is_said_before_a_file_is_sent(eva, lake, tmp_path):
    sent, large = Sent(eva), []
    for number in range(3):
        large.append(tmp_path / f"large-{number}.jpg")
        with large[-1].open("wb") as file:
            file.truncate(45 * 2**20)
    choose(eva, *large, to="")
    press(eva, "Encrypt and share")
    waits_for(eva, "you can send at most 100 MB at once")
    assert len(chosen(eva)) == 3
    choose(eva, *[lake] * 101, to="")
    press(eva, "Encrypt and share")
    waits_for(eva, "You chose 101 images, but you can send at most 100 at once")
    eva.page.get_by_role("button", name="Remove: lake.jpg").first.click()
    assert len(chosen(eva)) == 100
    assert sent.uploads == []


@pytest.mark.attack("F50")
def test_refused_files_leave_the_form_as_it_was(eva, emil, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("no picture")
    choose(eva, notes, to=emil.username)
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "notes.txt is not an image we can show")
    eva.look()
    assert chosen(eva) == ["notes.txt"]
    assert eva.page.is_checked(f"[type=checkbox][name=recipients][value='{emil.username}']")


@pytest.mark.attack("F50")
def test_a_connection_that_breaks_leaves_everything_to_be_sent_again(eva, emil, lake):
    choose(eva, lake, to=emil.username)
    eva.page.context.set_offline(True)
    press(eva, "Encrypt and share")
    waits_for(eva, "The connection was lost.")
    eva.page.context.set_offline(False)
    assert chosen(eva) == ["lake.jpg"]
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    eva.complaints = [said for said in eva.complaints if "ERR_INTERNET_DISCONNECTED" not in said]


@pytest.mark.attack("F51")
def test_locked_meanwhile_one_unlocks_in_the_page_and_the_files_go(eva, emil, lake):
    sent = Sent(eva)
    choose(eva, lake, to=emil.username)
    in_another_tab(eva, "Lock")
    press(eva, "Encrypt and share")
    waits_for(eva, "Unlock your images")
    eva.look()
    assert sent.uploads == []
    dialog = eva.page.get_by_role("dialog")
    dialog.locator("[name=password]").fill("not the password")
    dialog.get_by_role("button", name="Unlock").click()
    waits_for(eva, "This is not your password")
    press(eva, "Cancel")
    assert chosen(eva) == ["lake.jpg"]
    press(eva, "Encrypt and share")
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Unlock").click()
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    assert len(sent.uploads) == 1
    assert eva.complaints == []


@pytest.mark.attack("F51")
def test_signed_out_meanwhile_one_signs_in_in_the_page_and_the_files_go(eva, emil, lake):
    choose(eva, lake, to=emil.username)
    in_another_tab(eva, "Sign out")
    press(eva, "Encrypt and share")
    dialog = eva.page.get_by_role("dialog")
    dialog.locator("[name=username]").fill(eva.username)
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")


WHILE_SENDING = """name => {
  const send = window.fetch;
  window.fetch = (...asked) => {
    if (!asked[0].includes("/images/upload/")) return send(...asked); // people being looked for
    const all = new DataTransfer();
    all.items.add(new File(["late"], name, { type: "image/jpeg" }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: all, cancelable: true }));
    document.querySelector(".files button").click();
    window.listed = [...document.querySelectorAll(".files span")].map(line => line.textContent);
    return send(...asked);
  };
}"""


@pytest.mark.attack("F51")
def test_what_is_being_sent_is_neither_added_to_nor_taken_from(eva, emil, lake):
    """What was dropped then would be lost with the page, what was removed shared all the same."""
    choose(eva, lake, to=emil.username)
    eva.page.evaluate(WHILE_SENDING, "late.jpg")
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    (listed,) = eva.page.evaluate("window.listed")
    assert listed.startswith("lake.jpg")


@pytest.mark.attack("F51")
def test_leaving_with_files_chosen_is_asked(eva, emil, lake):
    choose(eva, lake, to=emil.username)
    asked = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    eva.page.on("dialog", stay)
    press_link = eva.page.get_by_role("link", name="Activity").locator("visible=true").first
    press_link.click(no_wait_after=True)
    waits_for(eva, "Encrypt and share")
    assert asked == ["beforeunload"]
    assert chosen(eva) == ["lake.jpg"]
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    eva.go("/activity/")
    assert asked == ["beforeunload"]  # what was sent is not asked about
    eva.page.remove_listener("dialog", stay)


@pytest.mark.attack("F51")
def test_the_link_beside_somebody_ticks_nothing_and_keeps_the_page(eva, emil, lake):
    choose(eva, lake, to="")
    link = eva.page.get_by_role("link", name="Key of Emil Edge")
    assert link.evaluate("link => link.closest('label')") is None
    with eva.page.context.expect_page() as opened:
        link.click()
    assert opened.value.url.endswith(f"/people/{emil.username}/")
    opened.value.close()
    assert chosen(eva) == ["lake.jpg"]


@pytest.mark.attack("F51")
def test_without_scripts_unlocking_leads_back_to_the_upload_page(server, browser, lake):
    anna = Visitor.arrive(browser, server.address, "anna.plain", scripts=False)
    anna.register("Anna Plain")
    choose(anna, to="nobody.here")
    press(anna, "Next: check")
    assert anna.says("Nobody here is called “nobody.here”")
    anna.look()
    assert anna.page.input_value("[name=caption]") == "Summer"
    choose(anna, to="")
    in_another_tab(anna, "Lock")
    press(anna, "Next: check")
    assert anna.says("nothing was done")
    anna.page.fill("[name=password]", PASSWORD)
    press(anna, "Unlock")
    assert anna.page.url == f"{server.address}/images/upload/"
    assert anna.complaints == []


@pytest.mark.attack("F50", "F171")
def test_who_says_no_in_the_check_has_sent_nothing_and_keeps_all(eva, emil, lake):
    sent = Sent(eva)
    choose(eva, lake, to=emil.username)
    press(eva, "Encrypt and share")
    waits_for(eva, "Only Emil Edge (@emil.receives) and you will be able to open this image.")
    eva.page.set_viewport_size(PHONE)
    eva.look()
    press(eva, "Cancel")
    eva.page.set_viewport_size(DESKTOP)
    assert sent.uploads == []
    assert chosen(eva) == ["lake.jpg"]
    press(eva, "Encrypt and share")
    eva.page.get_by_role("dialog").wait_for()
    eva.page.keyboard.press("Enter")  # the heading has the focus: no second Enter says yes
    eva.page.keyboard.press("Escape")
    assert sent.uploads == []
    assert eva.complaints == []


@pytest.mark.attack("F171")
def test_without_scripts_one_is_asked_before_files_are_chosen(server, browser, emil, lake):
    nora = Visitor.arrive(browser, server.address, "nora.plain", scripts=False, size=PHONE)
    nora.register("Nora Plain")
    choose(nora, to=emil.username)
    press(nora, "Next: check")
    assert nora.says("Only Emil Edge (@emil.receives) and you will be able to open the images")
    assert nora.says("You share with Emil Edge (@emil.receives) for the first time.")
    nora.look()
    press(nora, "Change")
    assert nora.page.input_value("#id_recipients") == emil.username
    assert nora.page.input_value("[name=caption]") == "Summer"
    nora.send([lake], is_asked=True)
    assert nora.says("Only Emil Edge and you can open what you uploaded.")
    assert nora.complaints == []


def test_a_folder_becomes_an_album_also_after_a_refused_try(eva: Visitor, tmp_path: Path):
    folder = tmp_path / "Skin checks"
    folder.mkdir()
    for colour in ("teal", "navy"):
        (folder / f"{colour}.jpg").write_bytes(jpeg(colour, (300, 200)))
    (folder / "notes.txt").write_text("no picture")
    eva.go("/images/upload/")
    eva.page.set_input_files("#folder", folder)
    assert eva.page.locator(".files li").count() == 2
    assert "New album “Skin checks”" in eva.page.locator("#id_album").inner_text()
    eva.page.fill("#id_recipients", "nobody.here")
    eva.page.get_by_role("button", name="Encrypt and share").click()
    eva.page.locator("[data-error-summary]").wait_for()
    eva.page.fill("#id_recipients", "")
    eva.page.get_by_role("button", name="Encrypt and share").click()
    eva.page.get_by_role("heading", name="encrypted").wait_for()
    eva.page.get_by_role("link", name="To the album").click()
    assert eva.page.get_by_role("heading", name="Skin checks", level=1).count() == 1
    assert len(eva.image_addresses()) == 2
    eva.look()
