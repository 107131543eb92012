"""The organisation's key, pinned, and an answer of it."""

from pathlib import Path

import pytest

from accounts.organisation import offline
from tests.accounts.organisation.steps import run
from tests.conftest import Person


@pytest.fixture
def pin(settings, tmp_path):
    """Make a key of the organisation's and pin it; return the file of its private half."""
    settings.RECOVERY_KEY_FILE = tmp_path / "server" / "recovery-key.pub"
    settings.RECOVERY_KEY_FILE.parent.mkdir()

    def make(name: str = "organisation") -> Path:
        fingerprint, public_path = offline.create(tmp_path / name)
        settings.RECOVERY_KEY_FILE.write_bytes(public_path.read_bytes())
        settings.RECOVERY_KEY_FINGERPRINT = fingerprint
        return tmp_path / name

    return make


@pytest.fixture
def private_half(pin) -> Path:
    return pin()


@pytest.fixture
def ask(tmp_path):
    """Export a request for somebody; return its file."""

    def request(person: Person, name: str = "request.json") -> Path:
        run("recover_account", "request", person.username, tmp_path / name)
        return tmp_path / name

    return request


@pytest.fixture
def open_it(tmp_path):
    """Open a request with a key; return the answer's file and the one-time code."""

    def answer(request: Path, key: Path, name: str = "answer.json") -> tuple[Path, str]:
        told = run("recovery_key", "open", request, "--key", key, "--answer", tmp_path / name)
        return tmp_path / name, told.splitlines()[1]

    return answer


@pytest.fixture
def answered(private_half, bob, ask, open_it):
    """Bob, who signed in since the key was pinned, and an answer for him, not imported yet."""
    bob.sign_in()
    return open_it(ask(bob), private_half)
