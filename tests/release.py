"""`make release-check`: whether this commit is fit to be released. `python -m tests.release`.

It looks at the state of the clone, at the changelog and for a kept installation, then runs the
tests of the documents and the deployment checks. That the whole suite passes is for `.ci/run` to
say.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import imageshare

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (["pytest", "-q", "tests/test_documents.py"], ["tests.checks"])
SECTION = re.compile(r"^## \[([^\]]+)\](?: - (\S+))?$", re.MULTILINE)


def main() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    found = [*uncommitted(ROOT), *objections(changelog), *not_kept(ROOT / "tests" / "fixtures")]
    if found:
        sys.exit("Not fit to be released:\n" + "\n".join(f"- {line}" for line in found))
    for arguments in CHECKS:
        if subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT).returncode:
            sys.exit(f"Not fit to be released: {arguments[0]} says why, above.")
    print(f"{imageshare.__version__} is fit to be released, once .ci/run has passed.")


def uncommitted(clone: Path) -> list[str]:
    """Return an objection for each file that is not as the commit has it."""
    status = subprocess.check_output(["git", "status", "--porcelain"], cwd=clone, text=True)
    return [f"not committed: {line[3:]}" for line in status.splitlines()]


def not_kept(fixtures: Path, version: str = imageshare.__version__) -> list[str]:
    """Return an objection if later versions will have no installation of this one to upgrade."""
    if (fixtures / f"{version}.zip").exists():
        return []
    return [f"tests/fixtures has no installation of {version}: python -m tests.fixtures.make"]


def objections(changelog: str, version: str = imageshare.__version__) -> list[str]:
    """Return what the changelog lacks for this version to be released, as sentences."""
    _, *parts = SECTION.split(changelog)
    entries = dict(zip(parts[0::3], parts[2::3], strict=True))
    days = dict(zip(parts[0::3], parts[1::3], strict=True))
    unreleased = entries.pop("Unreleased", "")
    said = []
    if unreleased.strip():
        said.append("CHANGELOG.md has entries under Unreleased: they belong to a version.")
    if next(iter(entries), None) != version:
        said.append(f"CHANGELOG.md does not begin with [{version}], below [Unreleased].")
    elif not _is_day(days[version] or ""):
        said.append(f"CHANGELOG.md gives {version} no date: ## [{version}] - 2027-01-31")
    elif not entries[version].strip():
        said.append(f"CHANGELOG.md says nothing of {version}.")
    return said


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


if __name__ == "__main__":
    main()
