"""The service worker in a real browser: it keeps what is nobody's, and nothing else."""

import pytest
from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, PASSWORD, Visitor
from tests.e2e.server import REAL, Server, running

pytestmark = IN_A_BROWSER
WORKS = """() => new Promise((done) => {
  navigator.serviceWorker.addEventListener("controllerchange", () => done(true));
  if (navigator.serviceWorker.controller) done(true);
})"""
ALL_THAT_IS_KEPT = """async () => {
  const kept = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys())
      kept.push(new URL(request.url).pathname);
  return kept;
}"""


def with_worker(browser: Browser, server: Server, username: str) -> Visitor:
    visitor = Visitor.arrive(browser, server.address, username, scripts=True, workers=True)
    visitor.register("Ines Iris")
    visitor.go("/images/")
    visitor.page.evaluate(WORKS)
    return visitor


@pytest.fixture
def ines(server: Server, browser: Browser) -> Visitor:
    return with_worker(browser, server, "ines.installs")


@pytest.mark.attack("F311")
def test_no_answer_of_the_application_is_kept(ines, tmp_path):
    lake = tmp_path / "lake.jpg"
    lake.write_bytes(jpeg("teal"))
    ines.upload([lake], to="", caption="Hidden lake")
    ines.go("/images/mine/")
    ines.page.get_by_role("link", name="Hidden lake").first.click()
    ines.page.get_by_role("heading", name="Hidden lake").first.wait_for()
    kept = ines.page.evaluate(ALL_THAT_IS_KEPT)
    assert "/offline/" in kept
    assert [name for name in kept if not name.startswith("/static/")] == ["/offline/"]
    offline = ines.page.evaluate("caches.match('/offline/').then(answer => answer.text())")
    assert "No connection" in offline
    assert "Ines" not in offline
    assert "csrfmiddlewaretoken" not in offline
    assert ines.complaints == []


def test_without_a_connection_a_page_says_so_and_the_next_try_goes_on(browser: Browser, tmp_path):
    with running(tmp_path / "data") as server:
        visitor = with_worker(browser, server, "iris.offline")
    visitor.go("/images/mine/")
    assert visitor.says("No connection")
    assert visitor.page.url.endswith("/images/mine/")
    assert "Ines" not in visitor.page.content()
    assert visitor.page.evaluate("document.styleSheets.length") == 1
    assert visitor.page.locator("main svg").first.is_visible()
    visitor.complaints = [one for one in visitor.complaints if "ERR_" not in one]
    assert visitor.complaints == []


# ---- what a phone shares with it -------------------------------------------------------------

SHARE = """names => {
  const files = new DataTransfer(), type = "image/jpeg";
  for (const name of names) files.items.add(new File([`picture ${name}`], name, { type }));
  const form = document.createElement("form"), input = document.createElement("input");
  Object.assign(form, { method: "post", enctype: "multipart/form-data" });
  form.action = "/images/upload/shared/";
  Object.assign(input, { type: "file", name: "images", multiple: true, files: files.files });
  form.append(input);
  document.body.append(form);
  form.submit();
}"""
LEFT = """async () => {
  if (!(await indexedDB.databases()).some((one) => one.name === "kept-files")) return [];
  const request = indexedDB.open("kept-files", 1);
  return new Promise((resolve) => request.onsuccess = () => {
    const all = request.result.transaction("files").objectStore("files").getAll();
    all.onsuccess = () => {
      request.result.close();
      resolve(all.result.map((row) => new TextDecoder("latin1").decode(row.sealed)));
    };
  });
}"""
TWO = ["lake.jpg", "hill.jpg"]


def share(visitor: Visitor) -> None:
    visitor.page.evaluate(SHARE, TWO)


def chosen(visitor: Visitor) -> list[str]:
    visitor.page.locator(".files [data-name]").nth(1).wait_for()
    return visitor.page.locator(".files [data-name]").all_inner_texts()


def lock(visitor: Visitor) -> None:
    visitor.go("/accounts/security/")
    visitor.page.get_by_role("button", name="Lock").locator("visible=true").first.click()
    visitor.page.wait_for_load_state()


def test_what_a_phone_shares_is_chosen_on_the_upload_page(server, browser):
    ida = with_worker(browser, server, "ida.shares")
    share(ida)
    assert chosen(ida) == TWO
    assert ida.page.url.endswith("/images/upload/")
    ida.page.reload()
    assert chosen(ida) == TWO
    assert ida.complaints == []


@pytest.mark.attack("F310")
def test_what_is_shared_while_keys_are_locked_is_there_once_they_are_unlocked(server, browser):
    ivy = with_worker(browser, server, "ivy.shares")
    lock(ivy)
    share(ivy)
    ivy.page.locator("[name=password]").wait_for()
    kept = ivy.page.evaluate(LEFT)
    assert len(kept) == 2
    assert "picture" not in "".join(kept)
    ivy.page.fill("[name=password]", PASSWORD)
    ivy.page.get_by_role("button", name="Unlock").locator("visible=true").first.click()
    assert chosen(ivy) == TWO


@pytest.mark.attack("F310")
def test_whoever_signs_in_next_in_the_browser_sees_nothing_of_what_was_shared(server, browser):
    alice = with_worker(browser, server, "alice.shares")
    lock(alice)
    share(alice)
    alice.page.locator("[name=password]").wait_for()
    alice.page.wait_for_function("sessionStorage['shared-files'] !== undefined")
    alice.page.context.clear_cookies()
    mallory = alice
    mallory.username = "mallory.looks"
    mallory.register("Mallory Mist")
    mallory.go("/images/upload/")
    assert list(mallory.page.evaluate("JSON.parse(sessionStorage['shared-files'])")) == ["queue"]
    assert mallory.page.locator(".files [data-name]").all_inner_texts() == []


@pytest.mark.attack("F310")
def test_what_is_shared_while_nobody_is_signed_in_is_kept_for_nobody(server, browser):
    ilse = with_worker(browser, server, "ilse.shares")
    ilse.page.context.clear_cookies()
    share(ilse)
    ilse.page.locator("[name=password]").wait_for()
    assert ilse.page.evaluate(LEFT) == []
    ilse.page.fill("[name=username]", ilse.username)
    ilse.page.fill("[name=password]", PASSWORD)
    ilse.page.get_by_role("button", name="Sign in").locator("visible=true").first.click()
    ilse.page.get_by_text("did not arrive").wait_for()
    assert ilse.page.url.endswith("/images/upload/")


def test_without_room_in_the_browser_static_files_still_arrive(browser: Browser, tmp_path):
    with running(tmp_path / "data", REAL) as server:
        visitor = Visitor.arrive(browser, server.address, "", scripts=True, workers=True)
        visitor.page.goto(server.address)
        visitor.page.evaluate(WORKS)
        room = {"origin": server.address, "quotaSize": 1}
        visitor.page.context.new_cdp_session(visitor.page).send(
            "Storage.overrideQuotaForOrigin", room
        )
        icon = "fetch(document.querySelector('[rel=apple-touch-icon]').href).then(it => it.status)"
        assert visitor.page.evaluate(icon) == 200
        kept = visitor.page.evaluate(ALL_THAT_IS_KEPT)
        assert not [name for name in kept if name.endswith(".png")]
