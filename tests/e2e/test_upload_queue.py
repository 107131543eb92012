"""The upload queue in a real browser: each file by itself, and none lost on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from tests.conftest import jpeg
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PASSWORD, PHONE, Visitor
from tests.e2e.server import Server, running
from tests.e2e.test_chosen_files import choose, chosen, in_another_tab, press, say_yes, waits_for

pytestmark = IN_A_BROWSER
COLOURS = ["teal", "navy", "olive", "maroon", "purple", "orange", "gray", "green"]
PASTE = """() => {
  const all = new DataTransfer();
  const look = document.createElement("canvas");
  look.width = look.height = 40;
  return new Promise(resolve => look.toBlob(blob => {
    all.items.add(new File([blob], "image.png", { type: "image/png" }));
    const pasted = new ClipboardEvent("paste", { clipboardData: all, cancelable: true });
    resolve(document.dispatchEvent(pasted));
  }));
}"""
KEPT = """() => new Promise(resolve => {
  indexedDB.open("kept-files").onsuccess = event => {
    const database = event.target.result;
    if (!database.objectStoreNames.length) return resolve([]);
    const rows = database.transaction("files").objectStore("files").getAll();
    rows.onsuccess = () => {
      database.close();
      resolve(rows.result.map(row => JSON.stringify({ ...row,
        sealed: new TextDecoder("latin1").decode(row.sealed) })));
    };
  };
})"""


@pytest.fixture(scope="module")
def quinn(server: Server, browser: Browser) -> Visitor:
    visitor = Visitor.arrive(browser, server.address, "quinn.queues", scripts=True, size=PHONE)
    visitor.register("Quinn Quick")
    return visitor


@pytest.fixture(scope="module")
def rosa(server: Server, browser: Browser) -> Visitor:
    visitor = Visitor.arrive(browser, server.address, "rosa.receives", scripts=True)
    visitor.register("Rosa Reed")
    return visitor


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}-{colour}.jpg" for number, colour in enumerate(COLOURS)]
    for path, colour in zip(paths, COLOURS, strict=True):
        path.write_bytes(jpeg(colour, (300, 200)))
    return paths


class Gate:
    """Lets so many uploads of a page through; the others stand before it until it opens."""

    def __init__(self, visitor: Visitor, *, lets: int) -> None:
        self.left, self.held = lets, list[Route]()
        visitor.page.route("**/images/upload/", self._come)

    def _come(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
        elif self.left:
            self.left -= 1
            route.continue_()
        else:
            self.held.append(route)

    def open(self) -> None:
        self.left = 1000
        while self.held:
            self.held.pop().continue_()


@pytest.fixture
def accepting(quinn: Visitor) -> Iterator[None]:
    """What is asked before a page is left is answered with yes."""

    def accept(dialog) -> None:
        dialog.accept()

    quinn.page.on("dialog", accept)
    yield
    quinn.page.remove_listener("dialog", accept)


def begin(visitor: Visitor, files: list[Path], *, to: str) -> None:
    choose(visitor, *files, to=to)
    press(visitor, "Encrypt and share")
    if to:
        say_yes(visitor)


def wait_for_done(visitor: Visitor, count: int) -> None:
    visitor.page.locator(".files li.done").nth(count - 1).wait_for()


def result(visitor: Visitor) -> list[str]:
    visitor.page.get_by_role("heading", name="encrypted").wait_for()
    visitor.look()
    return visitor.page.locator(".image-card .title").all_inner_texts()


@pytest.mark.attack("F262")
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_bad_file_stays_with_its_reason_and_all_others_are_stored(quinn, rosa, pictures, size):
    quinn.size = size
    broken = pictures[2]
    broken.write_bytes(broken.read_bytes()[:-300])
    begin(quinn, pictures, to=rosa.username)
    waits_for(quinn, "7 of 8 done · needing attention: 1")
    quinn.look()
    rows = quinn.page.locator(".files li")
    assert rows.last.locator("[data-name]").inner_text() == broken.name  # failed ones last
    assert "is incomplete" in rows.last.inner_text()
    broken.write_bytes(jpeg("olive", (300, 200)))
    quinn.page.get_by_role("button", name=f"Remove: {broken.name}").click()
    press(quinn, "See what is stored")
    assert result(quinn) == [path.name for path in pictures if path != broken]
    assert quinn.says("Only Rosa Reed and you can open what you uploaded.")
    rosa.go("/images/")
    assert rosa.page.locator("a.image-card").count() >= 7
    assert quinn.complaints == []


@pytest.mark.attack("F51", "F260")
def test_a_line_that_breaks_in_the_middle_is_gone_on_with_by_itself(quinn, rosa, pictures):
    gate = Gate(quinn, lets=2)
    begin(quinn, pictures, to=rosa.username)
    wait_for_done(quinn, 2)
    quinn.page.context.set_offline(True)
    gate.open()
    waits_for(quinn, "Waiting: the connection was lost. It is tried again by itself.")
    quinn.look()
    quinn.page.context.set_offline(False)
    assert result(quinn) == [path.name for path in pictures]
    quinn.complaints = [said for said in quinn.complaints if "DISCONNECTED" not in said]
    assert quinn.complaints == []


@pytest.mark.attack("F51", "F262")
def test_locked_in_the_middle_one_unlocks_in_the_page_and_it_goes_on(quinn, rosa, pictures):
    gate = Gate(quinn, lets=2)
    begin(quinn, pictures, to=rosa.username)
    wait_for_done(quinn, 2)
    in_another_tab(quinn, "Lock")
    gate.open()
    dialog = quinn.page.get_by_role("dialog")
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Unlock").click()
    assert result(quinn) == [path.name for path in pictures]
    assert quinn.complaints == []


@pytest.mark.attack("F51", "F260")
@pytest.mark.usefixtures("accepting")
def test_a_refresh_in_the_middle_goes_on_and_stores_nothing_twice(quinn, rosa, pictures):
    gate = Gate(quinn, lets=3)
    begin(quinn, pictures, to=rosa.username)
    wait_for_done(quinn, 3)
    gate.left = 1000
    quinn.page.reload()
    assert result(quinn) == [path.name for path in pictures]
    assert quinn.says("Only Rosa Reed and you can open what you uploaded.")
    assert gate.held
    assert quinn.page.evaluate(KEPT) == []


@pytest.mark.attack("F263")
@pytest.mark.attack("F304")
@pytest.mark.usefixtures("accepting")
def test_what_a_browser_keeps_is_unreadable_and_nobody_elses(quinn, rosa, pictures):
    choose(quinn, *pictures, to="")
    quinn.page.wait_for_function(f"async () => (await ({KEPT})()).length === 8")
    kept = "".join(quinn.page.evaluate(KEPT))
    assert "teal" not in kept
    assert "JFIF" not in kept
    assert "JFIF" in pictures[0].read_bytes().decode("latin1")
    quinn.go("/accounts/security/")
    press(quinn, "Lock")
    quinn.go("/images/upload/")
    quinn.page.fill("[name=password]", PASSWORD)
    press(quinn, "Unlock")
    waits_for(quinn, pictures[0].name)
    other = "() => { const held = JSON.parse(sessionStorage['kept-files']);"
    other += " sessionStorage['kept-files'] = JSON.stringify({ ...held, person: 'another' }); }"
    quinn.page.evaluate(other)
    quinn.go("/images/")
    assert list(quinn.page.evaluate("JSON.parse(sessionStorage['kept-files'])")) == ["queue"]
    quinn.go("/images/upload/")
    quinn.page.wait_for_function(f"async () => (await ({KEPT})()).length === 0")
    assert chosen(quinn) == []


@pytest.mark.attack("F263")
def test_signing_out_deletes_what_the_browser_kept(server, browser, pictures):
    sam = Visitor.arrive(browser, server.address, "sam.signs.out", scripts=True)
    sam.register("Sam Sole")
    sam.go("/images/upload/")
    sam.page.set_input_files("[name=images]", pictures)
    sam.page.wait_for_function(f"async () => (await ({KEPT})()).length === 8")
    in_another_tab(sam, "Sign out")
    sam.page.wait_for_function("() => !sessionStorage.length")
    assert sam.page.evaluate("async () => (await indexedDB.databases()).length") == 0
    assert chosen(sam) == [path.name for path in pictures]


@pytest.mark.attack("F262")
def test_stopped_the_others_stay_and_are_asked_about_again(quinn, rosa, pictures):
    gate = Gate(quinn, lets=2)
    begin(quinn, pictures, to=rosa.username)
    wait_for_done(quinn, 2)
    press(quinn, "Stop")
    gate.open()
    waits_for(quinn, "2 of 8 done")
    quinn.look()
    quinn.page.get_by_role("button", name=f"Remove: {pictures[5].name}").click()
    press(quinn, "Encrypt and share")
    waits_for(quinn, "will be able to open these 5 images.")
    say_yes(quinn)
    assert result(quinn) == [path.name for path in pictures if path != pictures[5]]


WHILE_IT_IS_READ = """name => {
  const slice = File.prototype.slice;
  File.prototype.slice = function (...of) {
    if (this.name === name) {
      for (const row of document.querySelectorAll(".files li")) {
        if (row.textContent.includes(name)) row.querySelector("[data-remove]").click();
      }
    }
    return slice.apply(this, of);
  };
}"""


@pytest.mark.attack("F262")
def test_one_that_is_removed_before_its_first_byte_is_not_sent(quinn, pictures):
    choose(quinn, *pictures, to="")
    quinn.page.evaluate(WHILE_IT_IS_READ, pictures[1].name)
    press(quinn, "Encrypt and share")
    assert result(quinn) == [path.name for path in pictures if path != pictures[1]]


@pytest.mark.attack("F262")
def test_one_is_cancelled_while_it_goes_up(quinn, pictures):
    gate = Gate(quinn, lets=1)
    begin(quinn, pictures, to="")
    wait_for_done(quinn, 1)
    quinn.page.locator(".files li.uploading").nth(2).wait_for()
    with quinn.page.expect_event("requestfailed"):  # only then none of it can be on its way
        quinn.page.get_by_role("button", name=f"Remove: {pictures[1].name}").click()
    gate.open()
    assert result(quinn) == [path.name for path in pictures if path != pictures[1]]


def test_what_is_pasted_is_shown_and_asked_about(quinn, rosa):
    choose(quinn, to="")
    for answer, listed in (("Cancel", []), ("Add", ["image.png"])):
        quinn.page.evaluate(PASTE)
        dialog = quinn.page.get_by_role("dialog")
        assert dialog.get_by_role("img").get_attribute("alt") == "image.png"
        quinn.look()
        assert chosen(quinn) == []
        dialog.get_by_role("button", name=answer).click()
        quinn.page.wait_for_function(
            f"() => document.querySelectorAll('.files li').length === {len(listed)}"
        )
        assert chosen(quinn) == listed
    press(quinn, "Encrypt and share")
    assert result(quinn) == ["image.png"]


def test_with_the_keyboard_alone_and_the_focus_is_never_lost(quinn, rosa, pictures):
    choose(quinn, *pictures[:3], to=rosa.username)
    focus = "() => document.activeElement.textContent.trim()"
    quinn.page.get_by_role("button", name=f"Remove: {pictures[1].name}").focus()
    quinn.page.keyboard.press("Enter")
    name = "() => document.activeElement.getAttribute('aria-label')"
    assert quinn.page.evaluate(name) == f"Remove: {pictures[2].name}"
    gate = Gate(quinn, lets=1)
    quinn.page.get_by_role("button", name="Encrypt and share").focus()
    quinn.page.keyboard.press("Enter")
    quinn.page.get_by_role("dialog").wait_for()
    quinn.page.keyboard.press("Tab")
    quinn.page.keyboard.press("Enter")
    wait_for_done(quinn, 1)
    assert quinn.page.evaluate(focus) == "Your images are on their way"
    assert quinn.page.title().startswith("1/2 · ")
    assert quinn.page.locator("[data-said]").inner_text() == "1 of 2 done"
    quinn.page.keyboard.press("Tab")
    assert quinn.page.evaluate(focus) == "Stop"
    gate.open()
    assert len(result(quinn)) == 2


@pytest.mark.attack("F50")
def test_too_little_room_is_said_before_a_file_is_sent(data_dir, browser, pictures):
    with running(data_dir, DEFAULT_QUOTA_BYTES="9000") as server:
        visitor = Visitor.arrive(browser, server.address, "quentin", scripts=True)
        visitor.register("Quentin Quota")
        visitor.go("/images/upload/")
        visitor.page.set_input_files("[name=images]", pictures)
        press(visitor, "Encrypt and share")
        waits_for(visitor, "You have 9 KB left, and these images need at least")
        visitor.look()
        press(visitor, "Remove all")
        visitor.page.set_input_files("[name=images]", pictures[:5])
        press(visitor, "Encrypt and share")
        waits_for(visitor, "So far")
        waits_for(visitor, "Needs attention: 4-purple.jpg")
        visitor.look()
        assert visitor.complaints == []


def test_more_files_than_the_form_takes_go_one_by_one(quinn, tmp_path):
    paths = [tmp_path / f"{number:03}.jpg" for number in range(120)]
    for number, path in enumerate(paths):
        path.write_bytes(jpeg("teal", (40 + number, 40)))
    begin(quinn, paths, to="")
    waits_for(quinn, "120 images are encrypted and signed")
    assert len(result(quinn)) == 60
    assert quinn.says("60 more are under “My images”.")


def test_a_caption_for_all_is_numbered_and_the_end_that_was_shown_is_every_files(
    quinn, rosa, pictures
):
    quinn.size = PHONE
    choose(quinn, *pictures[:3], to=rosa.username, caption="Skin check")
    assert not quinn.page.locator("[name=ends_at]").is_visible()
    quinn.page.select_option("[name=ends]", "date")
    assert quinn.page.locator("[name=ends_at]").is_visible()
    quinn.look()
    quinn.page.select_option("[name=ends]", "30")
    press(quinn, "Encrypt and share")
    quinn.page.locator("[data-asked] time").wait_for()
    end = quinn.page.locator("[data-asked] time").get_attribute("datetime")
    say_yes(quinn)
    assert len(result(quinn)) == 3
    rosa.go("/images/")
    titles = rosa.page.locator(".image-card .title").all_inner_texts()
    assert [title.removeprefix("New · ") for title in titles[:3]] == [
        f"Skin check ({number})" for number in (1, 2, 3)
    ]
    rosa.page.get_by_role("link", name="Skin check (3)").first.click()
    rosa.page.wait_for_load_state()
    assert rosa.page.locator(f'time[datetime="{end}"]').count()


def test_times_are_where_the_browser_is_from_the_second_page_on(server, browser):
    profile = browser.new_context(timezone_id="Asia/Tokyo", reduced_motion="reduce")
    visitor = Visitor(profile.new_page(), server.address, "tora.times", True, DESKTOP)
    visitor.register("Tora Times")  # not in the browser: it has seen no page yet
    for path, zone in [("/images/upload/", "UTC")] * 2 + [
        ("/images/", ""),
        ("/images/upload/", "Asia/Tokyo"),
    ]:
        visitor.go(path)
        if zone:
            visitor.page.select_option("[name=ends]", "date")
            hint = visitor.page.locator(".on-a-date .hint").inner_text()
            assert f"Times are in {zone}." in hint


@pytest.mark.attack("F306")
@pytest.mark.usefixtures("accepting")
def test_names_are_said_as_they_are_whatever_is_in_them(quinn, pictures, tmp_path):
    odd = "$`{count}$&<b>x</b>"
    empty = tmp_path / f"{odd.replace('/', ' ')}.jpg"
    empty.touch()
    choose(quinn, pictures[0], empty, to=odd)
    waits_for(quinn, empty.name)
    summary = quinn.page.locator("[data-summary]").inner_text()
    assert odd in summary
    assert summary.count("1") == 1
    assert quinn.page.locator(".files b, [data-summary] b").count() == 0
    press(quinn, "Remove all")


FOLDER = """() => {
  const file = new File(["x"], "one.jpg", { type: "image/jpeg" });
  const files = [[{ file: give => give(file) }], []];
  const reader = { readEntries: take => take(files.shift()) };
  const folder = { isDirectory: true, name: "Clinic", createReader: () => reader };
  const drop = new Event("drop", { cancelable: true });
  drop.dataTransfer = { items: [{ webkitGetAsEntry: () => folder }] };
  document.dispatchEvent(drop);
}"""


@pytest.mark.attack("F303")
def test_a_folder_becomes_no_album_of_whoever_signed_in_meanwhile(server, browser, rosa, tmp_path):
    uma = Visitor.arrive(browser, server.address, "uma.uploads", scripts=True)
    uma.register("Uma Under")
    uma.go("/images/upload/")
    uma.page.evaluate(FOLDER)
    waits_for(uma, "one.jpg")
    uma.page.fill("#id_recipients", rosa.username)
    press(uma, "Encrypt and share")
    uma.page.locator("button[name=confirmed][value='1']").wait_for()
    uma.page.context.clear_cookies()
    uma.page.context.add_cookies(rosa.page.context.cookies())
    say_yes(uma)
    waits_for(uma, "Somebody else opened this page")
    rosa.go("/albums/")
    assert not rosa.says("Clinic")
