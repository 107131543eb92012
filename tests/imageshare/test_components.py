"""The page of every component: it is whole, and no installation has it."""

import re

from imageshare.components import ICONS, STATES
from imageshare.settings import BASE_DIR

INCLUDES = BASE_DIR / "templates" / "includes"
# These belong to the frame of every page, or stand inside others of them.
ELSEWHERE = {
    *("brand.html", "language.html", "lock.html", "member_nav.html", "password_owner.html"),
    *("theme.html", "thumbnail.html", "visitor_nav.html"),
}


def test_no_installation_has_it(client, settings):
    settings.TESTING = False
    assert client.get("/components/").status_code == 404
    settings.DEBUG = True
    assert client.get("/components/").status_code == 200


def test_every_include_every_icon_and_every_state_is_on_it(client):
    page = client.get("/components/").content.decode()
    source = (BASE_DIR / "templates" / "components.html").read_text()
    included = set(re.findall(r'include "includes/([a-z_]+\.html)"', source))
    assert included == {path.name for path in INCLUDES.iterdir()} - ELSEWHERE
    icons = re.findall(r'<symbol id="([a-z-]+)"', ICONS.read_text())
    assert len(icons) > 20
    assert [icon for icon in icons if f"#{icon}" not in page] == []
    assert "style=" not in page


def test_it_shows_every_state_that_a_card_names():
    face = (BASE_DIR / "templates" / "gallery" / "card_face.html").read_text()
    assert set(re.findall(r'card\.state == "([a-z-]+)"', face)) <= set(STATES)


def test_it_says_which_fields_were_refused(client):
    page = client.get("/components/").content.decode()
    assert "Something here needs your attention." in page
    assert page.count('aria-invalid="true"') >= 3
