"""The pictures of the README and of the first page, taken of a demonstration: `make pictures`."""

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.e2e.browser import chromium
from tests.e2e.server import ROOT, environment_of, running

FOLDER = ROOT / "docs" / "pictures"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
ROW = re.compile(r"^(\w+) +(demo-\S+)", re.MULTILINE)
# What to show: file name, whose page, address or the text of a link, how wide, how lit.
SHOTS = [
    ("shared-with-me", "ana", "/images/", DESKTOP, "light"),
    ("image", "ana", "The lake before anybody was up", DESKTOP, "light"),
    ("upload", "ana", "/images/upload/", DESKTOP, "light"),
    ("activity-phone", "ben", "/activity/", PHONE, "light"),
    ("image-phone-dark", "mira", "Slide 14, second staining", PHONE, "dark"),
]

FIRST_PAGE = ROOT / "static" / "img"
PRODUCT = {"width": 1000, "height": 680}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        with running(data_dir) as server, chromium() as browser:
            passwords = fill(data_dir, server.port)
            for name, person, target, size, scheme in SHOTS:
                page = sign_in(browser, server.address, person, passwords[person], size, scheme)
                show(page, server.address, target)
                page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82)
                print(f"{name}.jpg")
            for scheme in ("light", "dark"):
                page = sign_in(browser, server.address, "ana", passwords["ana"], PRODUCT, scheme)
                show(page, server.address, "/images/")
                with Image.open(io.BytesIO(page.screenshot())) as picture:
                    small = picture.convert("RGB").resize(tuple(PRODUCT.values()))
                    small.save(FIRST_PAGE / f"product-{scheme}.webp", quality=60, method=6)


def fill(data_dir: Path, port: int, *options: str) -> dict[str, str]:
    """Fill the running installation; return the printed passwords by user name."""
    command = [sys.executable, "manage.py", "demo", *options]
    environment = environment_of(data_dir, port)
    printed = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    return dict(ROW.findall(printed))


def sign_in(
    browser: Browser,
    address: str,
    person: str,
    password: str,
    size: dict,
    scheme: str,
    *,
    locale: str = "en",
    scale: float = 1.5,
) -> Page:
    profile = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=scale, locale=locale
    )
    page = profile.new_page()
    page.goto(f"{address}/accounts/login/")
    page.fill("[name=username]", person)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/**")
    return page


def show(page: Page, address: str, target: str) -> None:
    if target.startswith("/"):
        page.goto(address + target)
    else:
        page.goto(f"{address}/images/mine/")
        if not page.get_by_text(target).count():
            page.goto(f"{address}/images/")
        page.get_by_text(target).first.click()
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main()
