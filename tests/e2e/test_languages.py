"""Every page in every language, and in one from right to left: as wide as the window, readable
for everybody, and in that language."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests import pictures
from tests.e2e.browser import DESKTOP, IN_A_BROWSER, NARROWEST, Visitor
from tests.e2e.server import Server, running

pytestmark = IN_A_BROWSER
VISITORS = ["/", "/about/protection/", "/accounts/login/", "/accounts/register/"]
VISITORS += ["/accounts/reset/", "/accounts/recover/", "/accounts/replace-keys/", "/nowhere/"]
OWNERS = ["/images/", "/images/mine/", "/images/mine/?select=1", "/images/?by=sender"]
OWNERS += ["/images/upload/", "/albums/", "/teams/", "/teams/new/", "/invitations/", "/people/"]
OWNERS += ["/people/ben/", "/activity/", "/activity/mine/", "/activity/mails/", "/successors/"]
OWNERS += ["/accounts/security/", "/accounts/password/", "/accounts/name/"]
OWNERS += ["/accounts/recovery-code/", "/accounts/recovery-code/test/", "/accounts/earlier-keys/"]
STAFF = [
    "/admin/",
    "/admin/accounts/user/",
    "/admin/audit/auditentry/",
    "/admin/gallery/sealedimage/",
]
# What is asked of axe, from right to left: the other languages change nothing but words.
ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


TOO_WIDE = """() => [...document.body.querySelectorAll("*")].filter(one => {
  if (one.closest("#result_list")) return false; // scrolls by itself
  const { left, right } = one.getBoundingClientRect();
  return left < -1 || right > document.documentElement.clientWidth + 1;
}).map(one => one.outerHTML.slice(0, 80)).slice(-2)"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    data_dir = tmp_path_factory.mktemp("languages") / "data"
    with running(data_dir, DJANGO_SETTINGS_MODULE="tests.e2e.right_to_left") as server:
        yield server, pictures.fill(data_dir, server.port, "--images=24")


def sign_in(visitor: Visitor, password: str) -> None:
    visitor.page.goto(f"{visitor.address}/accounts/login/")
    visitor.page.fill("[name=username]", visitor.username)
    visitor.page.fill("[name=password]", password)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(re.compile("/(images|admin)/"))


def look(visitor: Visitor, path: str, language: str) -> None:
    """Complain of what is wider than the window, out of sight, or not for everybody."""
    page = visitor.page
    page.goto(visitor.address + path)
    page.wait_for_load_state()
    said = page.evaluate("[document.documentElement.lang, document.documentElement.dir]")
    if said != [language, "rtl" if language == "ar" else "ltr"]:
        visitor.complaints.append(f"{path} is in {said}")
    # Tables of staff are wider than the narrowest phone in some languages.
    for size in (DESKTOP,) if path in STAFF else (NARROWEST, DESKTOP):
        page.set_viewport_size(size)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            wide = page.evaluate(TOO_WIDE)
            visitor.complaints.append(f"{path} is {width} pixels wide: {wide}")
    if language == "ar":
        visitor.ask_axe({"light": ASKED})


@pytest.mark.parametrize("language", ["de", "fr", "ar"])
def test_every_page(filled: tuple[Server, dict[str, str]], browser: Browser, language: str):
    server, passwords = filled
    seen: list[str] = []
    for name, paths in ((None, VISITORS), ("ana", OWNERS), ("overseer", STAFF)):
        visitor = Visitor.arrive(browser, server.address, name or "nobody", scripts=True)
        visitor.page.context.add_cookies(
            [{"name": "language", "value": language, "url": server.address}]
        )
        if name:
            sign_in(visitor, passwords[name])
        if name == "ana":
            paths = [*paths, *pages_of_things(visitor)]
        for path in paths:
            look(visitor, path, language)
        seen += visitor.complaints
    assert not seen, "\n".join(seen)


def pages_of_things(visitor: Visitor) -> list[str]:
    """An image of one's own and one of somebody else's, an album and a team, and what is there."""
    found = []
    for where, kind in (
        ("/images/mine/", "images"),
        ("/images/", "images"),
        ("/albums/", "albums"),
        ("/teams/", "teams"),
    ):
        visitor.page.goto(visitor.address + where)
        links = visitor.page.eval_on_selector_all(
            f"main a[href^='/{kind}/']", "links => links.map(link => link.getAttribute('href'))"
        )
        found.append(next(link for link in links if re.match(rf"/{kind}/[0-9a-f-]{{36}}/", link)))
    return [*found, found[0].partition("?")[0] + "activity/"]
