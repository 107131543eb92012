"""Static files as a start collects them: compressed, named by their contents, kept for good."""

import os
import re
from gzip import decompress
from pathlib import Path
from urllib.parse import urljoin

import brotli
import pytest
from django.test import Client

from imageshare import static_files
from tests.conftest import Person

HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
ADDRESSES = re.compile(r"""["'(](/static/[^"')#]+)""")
FIRST_LOADS = ["/accounts/login/", "/images/", "/images/upload/"]
MOST_BYTES = 40 * 1024


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static") / "this"
    static_files.collect(folder)
    return folder


@pytest.fixture
def root(collected: Path, settings, tmp_path: Path) -> Path:
    """Serve what was collected, as a start does; in a folder that a test may add versions to."""
    folder = tmp_path / "static" / "this"
    folder.parent.mkdir()
    folder.symlink_to(collected)
    settings.STATIC_ROOT = folder
    settings.WHITENOISE_USE_FINDERS = False
    backend = {"BACKEND": "imageshare.static_files.CollectedFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": backend}
    return folder


def fetch(client: Client, address: str, encoding: str = "br"):
    answer = client.get(address, headers={"accept-encoding": encoding})
    body = answer.getvalue()
    answer.close()
    return answer, body


def named_in(client: Client, page: str) -> set[str]:
    """Return the static files a page needs, and those they need, down to the last import."""
    found, waiting = set(), set(ADDRESSES.findall(page))
    while waiting:
        address = waiting.pop()
        found.add(address)
        if address.endswith(".png"):
            continue
        text = brotli.decompress(fetch(client, address)[1]).decode()
        imported = re.findall(r"""from ["'](\.[^"']+)|url\(["']?(\.[^"')#]+)""", text)
        waiting |= {urljoin(address, one or other) for one, other in imported} - found
    return found


def test_what_is_not_there_is_a_plain_404(root, client):
    for name in ("css/site.000000000000.css", "nothing.js", "css/site.css", "../secrets.env"):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 404, name
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
def test_files_are_compressed_as_the_browser_asks_and_kept_for_good(root, client, encoding):
    address = next(iter(ADDRESSES.findall(client.get("/").content.decode())))
    answer, body = fetch(client, address, encoding)
    unpack = {"br": brotli.decompress, "gzip": decompress, "identity": bytes}[encoding]
    plain = root / address.removeprefix("/static/")
    assert unpack(body) == plain.read_bytes()
    assert answer.get("Content-Encoding", "identity") == encoding
    assert answer["Vary"] == "Accept-Encoding"
    assert answer["Cache-Control"] == "max-age=315360000, public, immutable"


@pytest.mark.parametrize("address", [*FIRST_LOADS, "/", "/activity/", "/accounts/security/"])
def test_every_static_file_of_a_page_is_named_by_its_contents(root, alice, address):
    client = Client() if "login" in address else alice.sign_in()
    page = client.get(address, follow=True).content.decode()
    needed = named_in(client, page)
    assert len(needed) >= 4
    assert [name for name in needed if not HASHED.search(name)] == []


def test_staff_pages_find_all_their_files(root, staff):
    page = staff.get("/admin/").content.decode()
    for name in ADDRESSES.findall(page):
        assert HASHED.search(name)
        assert fetch(staff, name)[0].status_code == 200


@pytest.mark.parametrize("address", FIRST_LOADS)
def test_a_first_load_is_small(root, alice: Person, shared_image, address):
    client = Client() if "login" in address else alice.unlocked()
    page = client.get(address).content
    needed = named_in(client, page.decode())
    sizes = {name: len(fetch(client, name)[1]) for name in needed if not name.endswith(".png")}
    total = len(page) + sum(sizes.values())
    assert total <= MOST_BYTES, (len(page), sizes)


def test_the_page_without_a_connection_needs_nothing_that_the_worker_does_not_keep(root, client):
    worker = client.get("/service-worker.js").content.decode()
    needed = named_in(client, client.get("/offline/").content.decode())
    (kept,) = re.findall(r"NEEDED = \[.*\]", worker)
    kept = set(ADDRESSES.findall(kept))
    assert {name for name in needed if not name.endswith(".png")} == kept


def test_a_page_of_the_version_before_still_finds_its_files(root, client):
    before = root.parent / "before"
    (before / "js").mkdir(parents=True)
    (before / "js" / "site.0123456789ab.js").write_text("// of an earlier version")
    assert fetch(client, "/static/js/site.0123456789ab.js")[1] == b"// of an earlier version"


def test_of_earlier_versions_the_last_two_stay(root):
    for age, name in enumerate(["third", "second", "first"]):
        folder = root.parent / name
        folder.mkdir()
        os.utime(folder, (age, age))
    (root.parent / ".unfinished").mkdir()
    static_files.collect(root)
    left = {path.name for path in root.parent.iterdir()}
    assert left == {"this", "first", "second", ".unfinished"}


def test_collecting_that_breaks_off_leaves_nothing_to_serve(tmp_path, monkeypatch):
    def full(folder: Path) -> None:
        folder.mkdir()
        (folder / "half.css").touch()
        raise OSError("no room")

    monkeypatch.setattr(static_files, "write", full)
    with pytest.raises(OSError, match="no room"):
        static_files.collect(tmp_path / "static" / "this")
    assert list((tmp_path / "static").iterdir()) == []


def test_of_two_servers_that_collect_at_once_the_first_is_believed(tmp_path, monkeypatch):
    root = tmp_path / "static" / "this"

    def other_is_first(folder: Path) -> None:
        for place, text in ((root, "first"), (folder, "second")):
            place.mkdir()
            (place / "site.css").write_text(text)

    monkeypatch.setattr(static_files, "write", other_is_first)
    static_files.collect(root)
    assert (root / "site.css").read_text() == "first"
    assert list(root.parent.iterdir()) == [root]


def test_another_file_makes_another_version(tmp_path):
    (tmp_path / "a.js").write_text("1")
    first = static_files.version_of(tmp_path)
    assert static_files.version_of(tmp_path) == first
    (tmp_path / "a.js").write_text("2")
    assert static_files.version_of(tmp_path) != first
