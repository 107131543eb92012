"""Losing a password, and losing everything, in a real browser; coming back from both."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import jpeg
from tests.e2e.browser import IN_A_BROWSER, PASSWORD, Visitor
from tests.e2e.server import ROOT, Server, environment_of, running

pytestmark = IN_A_BROWSER
FOREIGN, LATER = "set by the operator 42", "set by them once more 77"
SET_PASSWORD = (
    "from accounts.models import User; user = User.objects.get(username='{}'); "
    "user.set_password('{}'); user.save()"
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at which a new start waits no time, so that a test need not wait three days."""
    with running(tmp_path_factory.mktemp("lost") / "data", NEW_START_WAIT_HOURS="0") as server:
        yield server


def set_password(server: Server, username: str, password: str) -> None:
    """What an operator can do at the server: it opens nobody's keys."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", SET_PASSWORD.format(username, password)],
        cwd=ROOT,
        env=environment_of(server.data_dir, server.port),
        check=True,
        capture_output=True,
    )


def sign_in(visitor: Visitor, password: str) -> None:
    visitor.page.context.clear_cookies()
    visitor.go("/accounts/login/")
    visitor.page.fill("[name=username]", visitor.username)
    visitor.page.fill("[name=password]", password)
    visitor.press("Sign in")


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_a_lost_password_loses_nothing_and_a_new_start_is_shared_with_again(
    impatient: Server, browser: Browser, tmp_path: Path, scripts: bool
):
    names = [f"{name}.{'js' if scripts else 'plain'}" for name in ("ada", "ben")]
    alice, bob = (
        Visitor.arrive(browser, impatient.address, name, scripts=scripts) for name in names
    )
    alice.register("Ada Ardent")
    bob.register("Ben Brook")
    file = tmp_path / "lake.jpg"
    file.write_bytes(jpeg("teal", (900, 600)))
    alice.upload([file], to=bob.username, caption="Summer")
    bob.go("/images/")
    (address,) = bob.image_addresses()

    # An operator sets bob's password: it signs in, and the earlier password opens.
    set_password(impatient, bob.username, FOREIGN)
    sign_in(bob, FOREIGN)
    assert bob.says("Your keys are locked")
    assert bob.says("Nothing is lost.")
    bob.page.fill("[name=old_password]", PASSWORD)
    bob.page.fill("[name=password]", FOREIGN)
    bob.press("Bring my keys back")
    assert bob.says("Your keys are back")
    assert bob.go(address) == 200
    assert bob.says("Verified")

    # Once more, and this time bob has lost everything: a new start.
    set_password(impatient, bob.username, LATER)
    sign_in(bob, LATER)
    assert bob.says("Your keys are locked")
    bob.page.get_by_role("link", name="About a new start").click()
    bob.page.fill("[name=password]", LATER)
    bob.press("Ask for new keys")
    bob.page.fill("[name=password]", LATER)
    bob.press("Start again with new keys")
    assert bob.says("You have new keys")
    bob.type_code_back()
    bob.go("/images/")
    assert bob.says("Waiting")
    assert bob.go(address) == 409

    # Alice sees who waits, and shares again with one press.
    alice.go("/images/mine/")
    assert alice.says("Somebody you share with has new keys and is waiting for access.")
    alice.go("/images/waiting/")
    assert alice.says("The old key does not confirm the new one")
    alice.press("The words match: share again with Ben Brook")
    assert alice.says("Ben Brook can open 1 image again.")
    assert bob.go(address) == 200
    assert bob.says("Verified")
    bob.go("/accounts/security/")
    assert bob.says("New keys were made. The earlier ones are kept, but locked.")
    alice.go("/images/relock/")
    assert alice.says("Nothing to do.")
    assert alice.complaints + bob.complaints == []
