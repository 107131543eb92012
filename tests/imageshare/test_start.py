"""The first start prepares everything; a later one refuses to go on without it."""

import os
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from gallery.storage import MARKER
from imageshare import start
from imageshare.modes import close_to_others
from tests import postgres
from tests.e2e.server import ROOT, environment_of, free_port, running


def started(data_dir, **variables):
    """Start it where it must refuse; return what it said."""
    answer = subprocess.run(
        [sys.executable, "-m", "imageshare.start"],
        cwd=ROOT,
        env={**environment_of(data_dir, free_port()), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    return answer.stderr


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ.pop("SECRET_KEY", None)
    os.environ.pop("KEY_FILE", None)
    if postgres.SERVER:
        os.environ["DATABASE_URL"] = postgres.database_of(tmp_path / "data")
    start.make_data_folder(tmp_path / "data")
    start.claim_storage(tmp_path / "data")
    start.make_secrets(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.attack("A2")
def test_everything_it_makes_is_private(data_dir):
    for path in data_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


OPENED = ["", "images", "tmp", "secrets.env", "server-keys.json", "unlock-keys", "audit.jsonl"]


@pytest.mark.attack("F43")
@pytest.mark.parametrize("name", OPENED)
def test_what_was_opened_to_others_is_closed_at_the_start(data_dir, name):
    """The start goes on to what stops it: nothing is served here."""
    (data_dir / "unlock-keys").mkdir(exist_ok=True)
    (data_dir / "audit.jsonl").touch()
    path = data_dir / name
    path.chmod(path.stat().st_mode | 0o044)
    url = {} if postgres.SERVER else {"DATABASE_URL": f"sqlite:///{data_dir}/images"}
    address = {"DATABASE_URL": "postgres://127.0.0.1:1/none?connect_timeout=1"}
    started(data_dir, **(address if postgres.SERVER else url))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.attack("F43")
@pytest.mark.parametrize(("mode", "stops"), [(0o644, True), (0o640, False), (0o604, True)])
def test_what_is_not_ours_and_open_to_everybody_stops_the_start(tmp_path, monkeypatch, mode, stops):
    """As a key file of root's, which a group reads at most."""
    path = tmp_path / "server-keys.json"
    path.touch()
    path.chmod(mode)

    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    if stops:
        with pytest.raises(SystemExit, match="chmod o-rwx"):
            close_to_others([path])
    else:
        close_to_others([path])
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.attack("F43")
def test_the_start_says_what_was_open(tmp_path, capsys):
    path = tmp_path / "server-keys.json"
    path.touch()
    path.chmod(0o640)
    close_to_others([path, tmp_path / "absent"])
    said = capsys.readouterr().out
    assert f"{path} was open to other accounts of this machine (mode 640)" in said
    close_to_others([path])
    assert capsys.readouterr().out == ""


def test_an_image_folder_that_is_not_the_one_it_was_stops_the_start(data_dir):
    (data_dir / "images" / MARKER).unlink()
    assert "Mount its volume" in started(data_dir)


def test_a_missing_key_file_beside_data_stops_the_start(data_dir):
    if postgres.SERVER:
        postgres.execute(postgres.database_of(data_dir), "CREATE TABLE accounts_user ()")
    (data_dir / "imageshare.sqlite3").touch()
    (data_dir / "server-keys.json").unlink()
    assert "is missing, though this installation has data" in started(data_dir)


@pytest.mark.attack("C1")
def test_a_guessable_secret_key_stops_the_start(data_dir):
    assert "accounts.E005" in started(data_dir, SECRET_KEY="dev")


def test_data_is_looked_for_where_the_url_says(data_dir, tmp_path):
    elsewhere = tmp_path / "elsewhere.sqlite3"
    (data_dir / "server-keys.json").unlink()
    elsewhere.touch()
    said = started(data_dir, DATABASE_URL=f"sqlite:///{elsewhere}")
    assert "is missing, though this installation has data" in said


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KDF_TIME_COST", "1", "key derivation's cost"),
        ("KDF_MEMORY_KIB", "64", "key derivation's cost"),
        ("MAX_FILES", "many", "many"),
        ("SITE_URL", "https://example.org/images", "imageshare.E001"),
        ("SITE_URL", "https://example.org/?site=2", "imageshare.E001"),
        ("SITE_URL", "https://us:er@example.org", "imageshare.E001"),
        ("SITE_URL", "ftp://example.org", "imageshare.E001"),
        ("SITE_URL", "https://", "imageshare.E001"),
    ],
)
def test_settings_that_are_too_weak_stop_the_start(data_dir, variable, value, said):
    assert said in started(data_dir, **{variable: value})


def test_it_listens_and_answers_on_ipv6(tmp_path):
    """`BIND=::` failed, and an IPv6 SITE_URL was no host it answered to."""
    site = "http://[fd00::1]:8000"
    with running(tmp_path / "data", BIND="::", SITE_URL=site) as server:
        for host in ("[::1]", "[fd00::1]"):
            line = HTTPConnection("::1", server.port)
            with closing(line):
                line.request("GET", "/healthz", headers={"Host": f"{host}:{server.port}"})
                assert line.getresponse().status == 200, host
    assert "http://[fd00::1]:8000" in server.log.read_text()


def test_a_port_that_is_taken_stops_the_start(data_dir):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = started(data_dir, PORT=str(taken.getsockname()[1]))
    assert "Choose another port" in said
