"""An operator orders new keys for somebody who is signed out and for somebody who is signed in."""

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, PASSWORD, Visitor
from tests.e2e.server import ROOT, Server, environment_of

pytestmark = IN_A_BROWSER
STATES = (
    "import json; from accounts.models import KeyPair; "
    "pairs = KeyPair.objects.filter(user__username='{}', purpose='encryption').order_by('epoch'); "
    "print(json.dumps([[pair.state, pair.wrapped_private_key is None] for pair in pairs]))"
)


def manage(server: Server, *arguments: str) -> str:
    return subprocess.check_output(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment_of(server.data_dir, server.port),
        text=True,
    )


def pairs_of(server: Server, username: str) -> list[list[object]]:
    shown = manage(server, "shell", "--no-imports", "-c", STATES.format(username))
    return json.loads(shown.splitlines()[-1])


def test_both_open_old_and_new_images_and_the_old_pairs_are_destroyed(
    server: Server, browser: Browser, tmp_path: Path
):
    file = tmp_path / "lake.jpg"
    file.write_bytes(jpeg("teal", (900, 600)))
    ada, ben = (
        Visitor.arrive(browser, server.address, name, scripts=True)
        for name in ("ada.rotates", "ben.rotates")
    )
    ada.register("Ada Ardent")
    ben.register("Ben Brook")
    ada.upload([file], to=ben.username, caption="Before")
    ben.go("/accounts/security/")
    ben.press("Sign out")

    manage(server, "rotate_keys", ada.username, ben.username)
    for _ in range(2):  # one page makes the pair, the next wraps for it
        ada.go("/images/mine/")
    ben.go("/accounts/login/")
    ben.page.fill("[name=username]", ben.username)
    ben.page.fill("[name=password]", PASSWORD)
    ben.press("Sign in")
    ben.go("/images/")

    for person in (ada, ben):
        person.go("/images/mine/")
        kept = [["destroyed", True], ["primary", False]]
        assert pairs_of(server, person.username) == kept
    ada.upload([file], to=ben.username, caption="After")
    ben.go("/images/")
    for address in ben.image_addresses():
        for person in (ada, ben):
            assert person.go(address) == 200
            assert person.says("Verified")
    ben.go("/accounts/security/")
    assert ben.says("An earlier key was destroyed because nothing needed it any more.")
    assert ada.complaints + ben.complaints == []
