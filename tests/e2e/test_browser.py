"""The whole line in a real browser, with scripts and without them."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, Visitor
from tests.e2e.server import Server

pytestmark = IN_A_BROWSER
NEW_PASSWORD = "an entirely new one 42"


def pixels(data: bytes) -> bytes:
    return Image.open(BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.attack("E15")
@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_share_verify_refuse_revoke_recover(
    server: Server, browser: Browser, tmp_path: Path, scripts: bool
):
    names = [f"{name}.{'js' if scripts else 'plain'}" for name in ("ada", "ben", "mona")]
    alice, bob, mallory = (
        Visitor.arrive(browser, server.address, name, scripts=scripts) for name in names
    )
    alice.register("Ada Ardent", looking=True)
    bob.register("Ben Brook")
    mallory.register("Mona Mist")
    pictures = {"lake.jpg": jpeg("teal", (900, 600)), "hill.jpg": jpeg("olive", (600, 900))}
    files = [tmp_path / name for name in pictures]
    for file in files:
        file.write_bytes(pictures[file.name])

    # Alice shares two images with bob.
    alice.upload(files, to=bob.username, caption="Summer")
    assert alice.says("2 images are encrypted, signed and shared")
    assert alice.says("Only Ben Brook and you can open what you uploaded.")

    # Bob is notified, sees them, finds them verified, and opens them.
    bob.go("/activity/")
    assert bob.says(f"Ada Ardent (@{alice.username}) shared 2 images with you.")
    bob.go("/images/")
    addresses = bob.image_addresses()
    assert len(addresses) == 2
    opened = set()
    for address in addresses:
        assert bob.go(address) == 200
        assert bob.says("Verified")
        assert bob.says(f"Signed by Ada Ardent (@{alice.username})")
        assert bob.page.locator(".mat img").evaluate("image => image.naturalWidth") > 0
        opened.add(pixels(bob.download_original()))
    assert opened == {pixels(picture) for picture in pictures.values()}

    # They compare keys by telephone: both see the same words.
    bob.go(f"/people/{bob.username}/")
    spoken = bob.page.locator(".word-list li").all_inner_texts()
    alice.compare(bob.username)
    assert alice.says("Compared on")
    assert alice.page.locator(".word-list li").all_inner_texts() == spoken
    assert alice.page.locator("svg.qr path").bounding_box()["width"] > 100

    # Mallory, signed in, finds nothing anywhere.
    for address in addresses:
        for what in ("", "original", "preview", "thumbnail"):
            assert mallory.page.goto(server.address + address + what).status == 404
    mallory.go("/images/")
    assert mallory.image_addresses() == []

    # Alice ends bob's access to one; bob is notified.
    revoked, kept = addresses
    alice.go(revoked)
    alice.page.get_by_text("End Ben Brook’s access").click()
    alice.press("End access")
    assert alice.says("Ben Brook can no longer open this image.")
    assert alice.says("Only you.")
    assert bob.go(revoked) == 410
    assert bob.says(f"Ada Ardent (@{alice.username}) has ended your access.")
    bob.go("/activity/")
    assert bob.says(f"Ada Ardent (@{alice.username}) ended your access to an image.")

    # Bob forgets his password, comes back with the code, and opens the other.
    bob.go("/accounts/security/")
    bob.press("Sign out")
    bob.go("/accounts/recover/")
    bob.page.fill("[name=username]", bob.username)
    bob.page.fill("[name=recovery_code]", bob.recovery_code.lower())
    bob.page.fill("[name=new_password1]", NEW_PASSWORD)
    bob.page.fill("[name=new_password2]", NEW_PASSWORD)
    bob.press("Set the new password")
    used = bob.recovery_code
    bob.type_code_back()
    assert bob.recovery_code != used
    assert bob.go(kept) == 200
    assert pixels(bob.download_original()) in opened

    # Locked: the list stays, content asks for the password.
    bob.go("/images/")
    bob.press("Lock")
    assert bob.says("Your keys are locked")
    bob.go(kept)
    assert bob.says("Unlock your images")
    bob.page.fill("[name=password]", NEW_PASSWORD)
    bob.press("Unlock")
    assert bob.says("Verified")

    assert alice.complaints + bob.complaints + mallory.complaints == []


def test_pages_nobody_is_signed_in_for(server: Server, browser: Browser):
    visitor = Visitor.arrive(browser, server.address, "visitor", scripts=True)
    for path in ("/", "/about/protection/", "/accounts/login/", "/accounts/recover/"):
        assert visitor.go(path) == 200
    assert visitor.go("/nothing-here/") == 404
    assert visitor.complaints == []
