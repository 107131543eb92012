"""People in a real Chromium, doing what people do, and looking at every page they come to."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Download,
    Page,
    ViewportSize,
    sync_playwright,
)

from tests.e2e.http_client import HttpClient

# The first is the second without windows, and takes two thirds of its processor time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]
PASSWORD = "correct horse battery"
NARROWEST: ViewportSize = {
    "width": 320,
    "height": 640,
}  # WCAG 2.2, 1.4.10: no scrolling in two directions
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# The dark scheme changes nothing but colours, so of the same page nothing else is asked again.
ASKED_OF_AXE = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
ASK_AXE = """asked => axe.run({ resultTypes: ["violations"], ...asked }).then(
  answer => answer.violations.map(found => `${found.id}: ${found.nodes[0].html}`)
)"""
# A browser writes every refused request to its console; anything else there is a fault.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person with a browser profile of their own."""

    page: Page
    address: str
    username: str
    scripts: bool
    size: ViewportSize
    recovery_code: str = ""
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def arrive(
        cls,
        browser: Browser,
        address: str,
        username: str,
        *,
        scripts: bool,
        size: ViewportSize = DESKTOP,
        workers: bool = False,
    ) -> Self:
        """`workers`: what a service worker asks for cannot be seen or held up by a test."""
        profile = browser.new_context(
            java_script_enabled=scripts,
            viewport=size,
            reduced_motion="reduce",
            service_workers="allow" if workers else "block",
        )
        visitor = cls(profile.new_page(), address, username, scripts, size)
        visitor.page.on("console", visitor._hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        return visitor

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.complaints.append(message.text)

    def go(self, path: str) -> int:
        """Go to a page, look at it, and return its status."""
        answer = self.page.goto(self.address + path)
        self.look()
        return answer.status if answer else 0

    def status(self, path: str) -> int:
        """Return the status of an address for this person, without looking at it."""
        return self.page.request.get(self.address + path, max_redirects=0).status

    def look(self) -> None:
        """Complain of a page that is too wide for a phone or that not everybody can use."""
        # A click waits for the next page's first byte alone; here all of it is looked at.
        self.page.wait_for_load_state()
        self.page.set_viewport_size(NARROWEST)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROWEST["width"]:
            self.complaints.append(f"{self.page.url} is {width} pixels wide")
        if self.scripts:
            self.ask_axe()
        self.page.set_viewport_size(self.size)

    def ask_axe(self, schemes: dict[str, dict[str, list[str]]] = ASKED_OF_AXE) -> None:
        self.page.evaluate(AXE_SCRIPT)
        for scheme, asked in schemes.items():
            self.page.emulate_media(color_scheme=scheme)
            found = self.page.evaluate(ASK_AXE, asked)
            self.complaints += [f"{self.page.url} ({scheme}): {what}" for what in found]

    def press(self, text: str) -> None:
        """Press the button with this text, and look at where it leads."""
        self.page.get_by_role("button", name=text).locator("visible=true").first.click()
        self.look()

    def says(self, text: str) -> bool:
        return text in self.page.locator("main").inner_text()

    # ---- what people do ----------------------------------------------------------------------

    def register(self, display_name: str, *, looking: bool = False) -> None:
        """Make an account: by plain HTTP, but for the test that looks at the pages of that."""
        if looking:
            self._register_on_the_pages(display_name)
            return
        client = HttpClient(self.address)
        self.recovery_code = client.register(self.username, display_name, PASSWORD)
        cookies = [(cookie.name, cookie.value or "") for cookie in client.cookies]
        self.page.context.add_cookies(
            [{"name": name, "value": value, "url": self.address} for name, value in cookies]
        )

    def _register_on_the_pages(self, display_name: str) -> None:
        self.go("/accounts/register/")
        self.page.fill("[name=username]", self.username)
        self.page.fill("[name=display_name]", display_name)
        self.page.fill("[name=password1]", PASSWORD)
        self.page.fill("[name=password2]", PASSWORD)
        self.press("Make my account")
        self.press("Show my recovery code")
        self.type_code_back()

    def type_code_back(self) -> None:
        """Keep the recovery code on the page, and type the two groups it asks for."""
        groups = self.page.locator("[data-group]")
        shown = [groups.nth(n).get_attribute("data-group") for n in range(6)]
        self.recovery_code = "-".join(shown)
        for name in ("confirm_1", "confirm_2"):
            label = self.page.locator(f"label[for=id_{name}]").inner_text()
            self.page.fill(f"[name={name}]", shown[int(re.findall(r"\d", label)[0]) - 1])
        self.press("I saved it")

    def upload(self, files: list[Path], *, to: str, caption: str) -> None:
        self.go("/images/upload/")
        self.page.fill("[name=caption]", caption)
        self.page.fill("#id_recipients", to)
        self.send(files, is_asked=bool(to))

    def send(self, files: list[Path], *, is_asked: bool) -> None:
        """Send an upload that is filled in. Without scripts its files are chosen after the check,
        with them one is asked only where somebody gets access."""
        if self.scripts:
            self.page.set_input_files("[name=images]", files)
            self.page.get_by_role("button", name="Encrypt and share").click()
        else:
            self.press("Next: check")
            self.page.set_input_files("[name=images]", files)
        if is_asked or not self.scripts:
            self.agree()
        self.page.get_by_role("heading", name="encrypted").wait_for()
        self.look()

    def say_yes(self) -> None:
        """Agree, and look at where it leads."""
        self.agree()
        self.look()

    def agree(self) -> None:
        """Look at the check before somebody gets access, and say yes to it."""
        yes = self.page.locator("button[name=confirmed][value='1']")
        yes.wait_for()
        self.look()
        yes.click()

    def compare(self, username: str) -> None:
        """Look at somebody's eight words, and type the two that the page asks for."""
        self.go(f"/people/{username}/")
        words = self.page.locator(".word-list li").all_inner_texts()
        for name in ("word_1", "word_2"):
            label = self.page.locator(f"label[for=id_{name}]").inner_text()
            self.page.fill(f"[name={name}]", words[int(re.findall(r"\d", label)[0]) - 1])
        self.press("They match")

    def image_addresses(self) -> list[str]:
        """Return the addresses of the images of a list, without what they say of that list."""
        cards = self.page.locator("a.image-card")
        hrefs = [cards.nth(n).get_attribute("href") for n in range(cards.count())]
        return [href.partition("?")[0] for href in hrefs]

    def download_original(self) -> bytes:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name="Download the original").click()
        download: Download = waiting.value
        return Path(download.path()).read_bytes()
