"""The arrows between the packages, kept by a test rather than by memory."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "cryptocore": set(),
    "audit": {"cryptocore"},
    "accounts": {"cryptocore", "audit"},
    "gallery": {"cryptocore", "audit", "accounts"},
    "imageshare": {"cryptocore", "audit", "accounts", "gallery"},
}


def imported_by(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sourced = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in named | sourced}


def imports_of(package: str) -> set[str]:
    return set().union(*map(imported_by, (ROOT / package).rglob("*.py"))) - {package}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_its_arrow_allows(package):
    assert imports_of(package) & MAY_IMPORT.keys() <= MAY_IMPORT[package]


def test_cryptocore_does_not_know_django():
    assert "django" not in imports_of("cryptocore")


def test_intake_knows_neither_django_nor_keys():
    gallery = ROOT / "gallery"
    files = (gallery / "intake.py", gallery / "pictures.py")
    for path in (*files, *(gallery / "containers").glob("*.py")):
        assert not imported_by(path) & {"django", "cryptocore", "accounts", "audit", "Crypto"}


def test_pictures_are_decoded_in_one_file():
    decoding = {
        path.name for path in (ROOT / "gallery").rglob("*.py") if "PIL" in imported_by(path)
    }
    assert decoding <= {"intake.py"}


def test_private_keys_are_unwrapped_in_one_file():
    loading = [
        path.relative_to(ROOT)
        for package in ("accounts", "gallery", "audit")
        for path in (ROOT / package).rglob("*.py")
        if "load_private_key" in path.read_text()
    ]
    assert loading == [Path("accounts/custody.py")]


@pytest.mark.attack("E5", "E11")
def test_nobody_pickles_and_nobody_marks_text_as_safe():
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            assert "pickle" not in imported_by(path), path
            assert "mark_safe" not in text, path
    for template in (ROOT / "templates").rglob("*.html"):
        assert "|safe" not in template.read_text(), template
