"""Servers for the end-to-end tests: real ones, each in a process and a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
