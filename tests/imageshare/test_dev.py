"""`make dev` follows the code, and nothing that shows code is served to another machine."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.server import ROOT, environment_of, free_port, running

CODE = ("accounts", "audit", "cryptocore", "gallery", "imageshare", "static", "templates")
ELSEWHERE = [{"BIND": "::"}, {"BIND": "0.0.0.0"}, {"SITE_URL": "http://images.example.org"}]


def refused(module: str, data_dir: Path, **variables: str) -> str:
    """Start it where it must refuse; return what it said."""
    answer = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**environment_of(data_dir, free_port()), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    return answer.stderr


@pytest.mark.attack("E2")
@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=str)
def test_debugging_where_others_reach_it_stops_the_start(tmp_path, elsewhere):
    assert "imageshare.E002" in refused(
        "imageshare.start", tmp_path / "data", DEBUG="True", **elsewhere
    )


@pytest.mark.attack("E2")
def test_the_development_server_serves_no_other_machine(tmp_path):
    assert "unset BIND" in refused("imageshare.dev", tmp_path / "data", BIND="0.0.0.0")
    assert not (tmp_path / "data").exists()


@pytest.mark.attack("E2")
def test_it_serves_this_machine_alone_whatever_env_says_and_follows_the_code(tmp_path):
    code = tmp_path / "code"
    for name in CODE:
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", code)
    (code / ".env").write_text("SITE_URL=https://images.example.org\nKEY_FILE=/nowhere/keys\n")
    there = {"cwd": code, "PYTHONPATH": str(code)}
    with running(tmp_path / "data", "imageshare.dev", **there) as server:
        with urlopen(f"{server.address}/static/css/site.css") as answer:
            assert answer.status == 200
        with urlopen(server.address) as answer:
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert listening_addresses(server.port) == {"127.0.0.1"}
        views = code / "imageshare" / "views.py"
        views.write_text(views.read_text().replace('{"alive": True}', '{"alive": "again"}'))
        wait_for(f"{server.address}/healthz", b"again")
    assert "For development only" in server.log.read_text()


def listening_addresses(port: int) -> set[str]:
    """Where this port is listened on, of IPv4 as the kernel lists it and of IPv6 at all."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, _, hexadecimal = line.split()[1].partition(":")
            if int(hexadecimal, 16) == port and line.split()[3] == "0A":
                found.add("127.0.0.1" if address == "0100007F" else address)
    return found


def wait_for(address: str, text: bytes) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urlopen(address) as answer:
                if text in answer.read():
                    return
        except OSError:
            pass  # between two starts nobody listens
        time.sleep(0.1)
    raise AssertionError(f"{address} never answered {text!r}")
