"""Staff in a real browser: every page of theirs, an invite from its making to its account."""

import subprocess
import sys

from playwright.sync_api import Browser

from tests.e2e.browser import IN_A_BROWSER, PASSWORD, Visitor
from tests.e2e.server import ROOT, Server, environment_of

pytestmark = IN_A_BROWSER
LISTS = [
    "accounts/user",
    "accounts/invite",
    "accounts/keypair",
    "gallery/sealedimage",
    "gallery/invitation",
    "gallery/notice",
    "audit/auditentry",
]


def make_superuser(server: Server, username: str) -> None:
    """As the operator does, by the command that the start prints."""
    variables = environment_of(server.data_dir, server.port)
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username", username]
    variables["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    subprocess.run(command, cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL)


def sign_in(staff: Visitor) -> None:
    staff.go("/admin/")
    staff.page.fill("[name=username]", staff.username)
    staff.page.fill("[name=password]", PASSWORD)
    staff.press("Sign in")


def test_staff_oversee_and_an_invite_makes_one_account(server: Server, browser: Browser):
    make_superuser(server, "overseer")
    staff, guest, late = (
        Visitor.arrive(browser, server.address, name, scripts=True)
        for name in ("overseer", "dora.dune", "late")
    )
    sign_in(staff)
    assert "/admin/" in staff.page.url
    for place in LISTS:
        assert staff.go(f"/admin/{place}/") == 200
        assert staff.says("Staff view: no image content is shown here")

    staff.go("/admin/accounts/invite/make/")
    staff.page.fill("[name=display_name]", "Dora Dune")
    staff.press("Make an invite")
    link = staff.page.locator(".secret").inner_text().removeprefix(server.address)

    assert guest.go(link) == 200
    for name, typed in (("username", guest.username), ("password1", PASSWORD)):
        guest.page.fill(f"[name={name}]", typed)
    guest.page.fill("[name=password2]", PASSWORD)
    guest.press("Make my account")
    guest.press("Show my recovery code")
    guest.type_code_back()
    assert late.go(link) == 404
    assert late.says("This invite does not work")

    staff.go(f"/admin/accounts/user/?q={guest.username}")
    staff.page.get_by_role("link", name=guest.username, exact=True).click()
    staff.page.get_by_role("link", name="Disable").click()
    staff.page.fill("[name=reason]", "left the house")
    staff.page.get_by_label("Username, typed to confirm").fill(guest.username)
    # Not press(): axe itself complains of Django's forms.css, which imports another sheet.
    staff.page.get_by_role("button", name="Disable").click()
    staff.page.wait_for_load_state()
    assert staff.says("Dora Dune is disabled.")
    guest.go("/images/")
    assert "/accounts/login/" in guest.page.url
    assert staff.complaints + guest.complaints + late.complaints == []
    token = link.strip("/").rpartition("/")[2]
    assert token not in server.log.read_text()
    assert "/accounts/invite/…/" in server.log.read_text()
