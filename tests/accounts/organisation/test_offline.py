"""What the offline key opens, and the files it reads and writes."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError

from accounts.models import KeySlot
from accounts.organisation import offline
from accounts.organisation import pin as organisation
from accounts.organisation.exchange import Request, open_request, slot_label
from cryptocore.errors import CryptoError
from cryptocore.wrapping import wrap
from tests.accounts.organisation.steps import outcomes, recover, run

ROOT = Path(__file__).resolve().parents[3]


def test_another_private_key_opens_nothing(private_half, bob, ask, pin, tmp_path):
    bob.sign_in()
    request = ask(bob)
    other = pin("another")
    with pytest.raises(CommandError, match="and the request is for"):
        run("recovery_key", "open", request, "--key", other, "--answer", tmp_path / "answer")
    assert not (tmp_path / "answer").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("person", "11111111-1111-4111-8111-111111111111"),
        ("instance", "11111111-1111-4111-8111-111111111111"),
        ("slot", "11111111-1111-4111-8111-111111111111"),
        ("version", 2),
        ("wrapped", "00" * 384),
        ("wrapped", ""),
    ],
)
def test_an_altered_request_opens_nothing(private_half, bob, ask, tmp_path, field, value):
    bob.sign_in()
    request = ask(bob)
    body = json.loads(request.read_bytes()) | {field: value}
    request.write_text(json.dumps(body, sort_keys=True, separators=(",", ":")))
    with pytest.raises(CommandError, match="altered"):
        run("recovery_key", "open", request, "--key", private_half, "--answer", tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"kind":"recovery-answer"}', b"x" * 20_000, b"[1]"]
)
def test_what_is_no_request_is_refused(private_half, tmp_path, content):
    (tmp_path / "request").write_bytes(content)
    with pytest.raises(CommandError, match="Nothing was written"):
        run(
            *("recovery_key", "open", tmp_path / "request"),
            *("--key", private_half, "--answer", tmp_path / "answer"),
        )


@pytest.mark.parametrize(
    "change", [{"version": "1"}, {"extra": 1}, {"slot": "x"}, {"wrapped": "0"}, {"kind": "other"}]
)
def test_a_request_has_one_form(private_half, bob, ask, change):
    bob.sign_in()
    body = json.loads(ask(bob).read_bytes()) | change
    with pytest.raises(CryptoError):
        Request.parse(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())


def test_something_else_wrapped_to_the_organisation_is_not_answered(private_half, bob, ask):
    """Anybody who can write to the database can wrap anything to a public key."""
    bob.sign_in()
    request = Request.parse(ask(bob).read_bytes())
    fingerprint, public_key = organisation.public_key()
    label = slot_label(request.instance, request.person, request.slot, 1, fingerprint)
    slot = KeySlot.objects.get(pk=request.slot)
    slot.wrapped_master_key = wrap(b"sixteen bytes ..", public_key, label=label)
    altered = Request(**{**vars(request), "wrapped": slot.wrapped_master_key})
    with pytest.raises(CryptoError):
        open_request(altered, offline.read_private_key(private_half))


def test_the_private_half_is_private_and_nothing_is_overwritten(tmp_path):
    told = run("recovery_key", "create", tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    fingerprint, _key = offline.read_public_key(tmp_path / "key.pub")
    assert f"RECOVERY_KEY_FINGERPRINT={fingerprint}" in told
    assert b"PRIVATE" not in (tmp_path / "key.pub").read_bytes()
    before = (tmp_path / "key").read_bytes()
    (tmp_path / "key.pub").unlink()
    with pytest.raises(CommandError, match="exists"):
        run("recovery_key", "create", tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before
    assert outcomes("organisation-key:made") == ["done"]


@pytest.mark.parametrize("half", ["key", "key.pub"])
def test_a_half_that_cannot_be_written_leaves_the_other_unwritten(tmp_path, monkeypatch, half):
    """What says that nothing was written must not leave a private half behind."""
    opening = os.open

    def full(path, *arguments):
        if Path(path).name == half:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opening(path, *arguments)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(CommandError, match="Nothing was written"):
        run("recovery_key", "create", tmp_path / "key")
    assert list(tmp_path.iterdir()) == []
    assert outcomes("organisation-key:made") == []


def test_a_full_disk_leaves_no_part_of_a_key(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(offline.os, "fsync", full)
    with pytest.raises(offline.Refused, match="Nothing was written"):
        offline.create(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_requests_and_answers_are_private_and_not_overwritten(
    answered, bob, ask, private_half, tmp_path
):
    for name in ("request.json", "answer.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="exists"):
        ask(bob)
    with pytest.raises(CommandError, match="exists"):
        run(
            *("recovery_key", "open", tmp_path / "request.json"),
            *("--key", private_half, "--answer", tmp_path / "answer.json"),
        )


def test_opening_needs_no_installation(private_half, bob, ask, tmp_path):
    bob.sign_in()
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "accounts.organisation.offline", "open", str(ask(bob))),
            *("--key", str(private_half), "--answer", str(tmp_path / "answer")),
        ],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    run("recover_account", "import", tmp_path / "answer")
    assert recover(bob, answer.stdout.splitlines()[1]).status_code == 200


def test_the_organisations_half_knows_no_django():
    told = "import sys, accounts.organisation.offline; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], cwd=ROOT).returncode == 0
