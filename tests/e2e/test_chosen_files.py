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
    visitor.page.goto(f"{visitor.address}/images/upload/")
    visitor.page.evaluate("sessionStorage.clear()")  # what an earlier test left is not chosen again
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
    return visitor.page.locator(".files [data-name]").all_inner_texts()


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


MANY = """count => {
  const all = new DataTransfer();
  for (let n = 0; n < count; n++) {
    all.items.add(new File(["x"], `${n}.jpg`, { type: "image/jpeg" }));
  }
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: all, cancelable: true }));
}"""


@pytest.mark.attack("F50")
def test_what_is_wrong_with_a_file_is_said_before_it_is_sent(eva, lake, tmp_path):
    sent = Sent(eva)
    large, notes, empty = (tmp_path / name for name in ("large.jpg", "notes.txt", "empty.jpg"))
    with large.open("wb") as file:
        file.truncate(51 * 2**20)
    notes.write_text("no picture")
    empty.touch()
    choose(eva, large, notes, empty, to="")
    waits_for(eva, "it has 51.0 MB, and the limit is 50 MB")
    waits_for(eva, "it is not an image we can show")
    waits_for(eva, "it is empty")
    eva.look()
    press(eva, "Encrypt and share")
    waits_for(eva, "Choose at least one image.")
    eva.page.set_input_files("[name=images]", [lake])
    eva.page.set_input_files("[name=images]", [lake])
    waits_for(eva, "it is in this list twice")
    press(eva, "Remove all")
    assert chosen(eva) == []
    eva.page.evaluate(MANY, 1001)
    press(eva, "Encrypt and share")
    waits_for(eva, "You chose 1001 images, but you can send at most 1000 at once")
    assert sent.uploads == []
    press(eva, "Remove all")


@pytest.mark.attack("F50")
def test_refused_files_leave_the_form_as_it_was(eva, emil, tmp_path):
    notes = tmp_path / "notes.jpg"
    notes.write_text("no picture")
    choose(eva, notes, to=emil.username)
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "notes.jpg is not an image we can show")
    eva.look()
    assert chosen(eva) == ["notes.jpg"]
    assert eva.page.input_value("#id_recipients") == emil.username


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
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) {
    const all = new DataTransfer();
    all.items.add(new File(["late"], name, { type: "image/jpeg" }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: all, cancelable: true }));
    setTimeout(() => {
      window.name = document.querySelector("[data-problem]").textContent;
      send.call(this, body);
    });
  };
}"""


@pytest.mark.attack("F51", "F262")
def test_what_is_dropped_while_others_are_sent_is_not_shared_unasked(eva, emil, lake):
    choose(eva, lake, to=emil.username)
    eva.page.evaluate(WHILE_SENDING, "late.jpg")
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    assert "Nothing was added" in eva.page.evaluate("window.name")
    assert len(eva.image_addresses()) == 1


@pytest.mark.attack("F51")
def test_leaving_while_files_are_on_their_way_is_asked(eva, emil, lake):
    asked = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    choose(eva, lake, to=emil.username)
    eva.page.on("dialog", stay)
    eva.page.route("**/images/upload/", lambda route: None)  # it never arrives
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "Your images are on their way")
    press_link = eva.page.get_by_role("link", name="Activity").locator("visible=true").first
    press_link.click(no_wait_after=True)
    waits_for(eva, "Your images are on their way")
    assert asked == ["beforeunload"]
    eva.page.unroute("**/images/upload/")
    press(eva, "Stop")
    press(eva, "Encrypt and share")
    say_yes(eva)
    waits_for(eva, "1 image is encrypted, signed and shared")
    eva.go("/activity/")
    assert asked == ["beforeunload"]  # what was sent is not asked about
    eva.page.remove_listener("dialog", stay)


@pytest.mark.attack("F51")
def test_who_leaves_with_files_chosen_finds_them_again(eva, lake):
    choose(eva, lake, to="")
    waits_for(eva, "lake.jpg")
    eva.page.wait_for_function("""() => new Promise(resolve => {
      const request = indexedDB.open("kept-files");
      request.onsuccess = () => {
        const rows = request.result.transaction("files").objectStore("files").count();
        rows.onsuccess = () => resolve(rows.result === 1);
      };
    })""")
    eva.go("/activity/")
    eva.go("/images/upload/")
    waits_for(eva, "lake.jpg")
    press(eva, "Remove: lake.jpg")
    assert chosen(eva) == []
    eva.go("/images/upload/")
    assert chosen(eva) == []


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
    choose(eva, to="")
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
