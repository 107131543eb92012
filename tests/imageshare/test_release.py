"""The version stands in one place and staff alone see it; what is unfinished is not released."""

import re
import shutil
import subprocess

import pytest

import imageshare
from tests.accounts.marking import mark_as_staff
from tests.imageshare.test_every_address import address, routes
from tests.release import ROOT, not_kept, objections, uncommitted

UNRELEASED, RELEASED = "## [Unreleased]\n", "## [1.2.0] - 2027-01-31\n\n### Added\n\n- Printing.\n"
OLDER = "\n## [1.1.0] - 2026-12-24\n\n- Sharing.\n"


@pytest.mark.parametrize("changelog", [f"{UNRELEASED}\n{RELEASED}{OLDER}", RELEASED])
def test_a_version_with_a_date_and_entries_is_fit_to_be_released(changelog):
    assert objections(changelog, "1.2.0") == []


@pytest.mark.parametrize(
    ("changelog", "said"),
    [
        (f"{UNRELEASED}\n- Drawing.\n\n{RELEASED}", "entries under Unreleased"),
        (f"{UNRELEASED}{OLDER}", "does not begin with"),
        (f"{UNRELEASED}{OLDER}\n{RELEASED}", "does not begin with"),
        ("", "does not begin with"),
        (RELEASED.replace(" - 2027-01-31", ""), "no date"),
        (RELEASED.replace("01-31", "02-31"), "no date"),
        (RELEASED.replace("2027-01-31", "soon"), "no date"),
        (f"## [1.2.0] - 2027-01-31\n{OLDER}", "says nothing of 1.2.0"),
    ],
)
def test_a_changelog_that_is_not_finished_is_refused(changelog, said):
    assert [line for line in objections(changelog, "1.2.0") if said in line]


@pytest.mark.skipif(not shutil.which("git"), reason="no git")
def test_files_that_are_not_committed_are_refused(tmp_path):
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert uncommitted(tmp_path) == []
    (tmp_path / "forgotten.py").touch()
    assert uncommitted(tmp_path) == ["not committed: forgotten.py"]


def test_a_version_of_which_no_installation_is_kept_is_refused(tmp_path):
    assert "no installation of 1.2.0" in not_kept(tmp_path, "1.2.0")[0]
    (tmp_path / "1.2.0.zip").touch()
    assert not_kept(tmp_path, "1.2.0") == []


def test_the_version_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", imageshare.__version__)
    assert imageshare.__version__ not in (ROOT / "pyproject.toml").read_text()


def test_staff_see_the_version_and_nobody_else_does(alice, make_person, client):
    overseer = make_person("clerk", "Cleo Clerk")
    mark_as_staff(overseer.user)
    shown = f"ImageShare {imageshare.__version__}"
    assert shown in overseer.sign_in().get("/admin/").content.decode()
    alice.sign_in()
    for browser in (client, alice.client):
        for route in [*routes(), "admin/"]:
            answer = browser.get(address(route))
            said = getattr(answer, "content", b"").decode("utf-8", "replace") + str(answer.headers)
            assert imageshare.__version__ not in said, route
