"""Every component in every state, in both themes: everybody can use it, on a narrow phone too."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import DESKTOP, IN_A_BROWSER, PHONE, Visitor
from tests.e2e.server import running

pytestmark = IN_A_BROWSER


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_everybody_can_use_every_component(browser: Browser, tmp_path, size):
    with running(tmp_path / "data") as server:
        visitor = Visitor.arrive(browser, server.address, "visitor", scripts=True, size=size)
        assert visitor.go("/components/") == 200
        assert visitor.complaints == []
