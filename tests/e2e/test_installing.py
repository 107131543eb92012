"""The service worker in a real browser: it keeps what is nobody's, and nothing else."""

import pytest
from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, Visitor
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
