"""Servers and a browser for the end-to-end tests.

Servers are real ones, each in a process and a folder of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import chromium
from tests.e2e.server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only use it."""
    with running(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for a server of a test's own."""
    return tmp_path / "data"


@pytest.fixture(scope="package")
def one_browser() -> Iterator[Browser]:
    """Ends with the last test here: while it runs Django takes itself to be in an event loop."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def browser(one_browser: Browser) -> Iterator[Browser]:
    yield one_browser
    for profile in one_browser.contexts:
        profile.close()
