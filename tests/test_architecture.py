"""The arrows between the packages, kept by a test rather than by memory."""

import ast
from collections import Counter
from collections.abc import Collection
from functools import cache
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


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imported_by(path: Path) -> frozenset[str]:
    nodes = list(ast.walk(tree_of(path)))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sourced = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return frozenset(name.partition(".")[0] for name in named | sourced)


def imports_of(package: str) -> set[str]:
    return set().union(*map(imported_by, (ROOT / package).rglob("*.py"))) - {package}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_its_arrow_allows(package):
    assert imports_of(package) & MAY_IMPORT.keys() <= MAY_IMPORT[package]


def test_cryptocore_does_not_know_django():
    assert "django" not in imports_of("cryptocore")


def test_nothing_in_a_decoder_knows_django_or_keys():
    gallery = ROOT / "gallery"
    files = [gallery / name for name in ("__init__.py", "intake.py", "pictures.py")]
    inside = ("__init__", "answers", "confining", "decoder", "starter", "wire")
    files += [gallery / "decoding" / f"{name}.py" for name in inside]
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


# ---- inside an app ---------------------------------------------------------------------------


def modules() -> dict[str, Path]:
    """Return every module of ours, without migrations, by its dotted name."""
    paths = (path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))
    return {dotted(path): path for path in paths if "migrations" not in path.parts}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def arrows() -> dict[str, set[str]]:
    """Return which of our modules each of them imports, inside functions, too."""
    ours = modules()
    return {name: named_by(path, ours.keys()) - {name} for name, path in ours.items()}


def named_by(path: Path, ours: Collection[str]) -> set[str]:
    named = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= {name if name in ours else node.module for name in full}
    return named.intersection(ours)


def test_no_circle_of_modules():
    imports = arrows()
    while leaves := [name for name, imported in imports.items() if not imported]:
        imports = {
            name: imported.difference(leaves)
            for name, imported in imports.items()
            if name not in leaves
        }
    assert imports == {}


OF_REQUESTS = (
    "accounts.web",
    "accounts.views",
    "accounts.forms",
    "accounts.admin",
    "audit.admin",
    "gallery.views",
    "gallery.forms",
    "gallery.album_forms",
    "gallery.invitation_forms",
    "gallery.team_forms",
    "gallery.answers",
    "gallery.admin",
)


def test_every_form_belongs_to_requests():
    with_forms = {name for name, path in modules().items() if "django.forms" in sources_of(path)}
    assert {name for name in with_forms if not name.startswith(OF_REQUESTS)} == set()


def sources_of(path: Path) -> set[str]:
    """Return what a module imports from, each with the names it takes: `django.forms`."""
    nodes = [node for node in ast.walk(tree_of(path)) if type(node) is ast.ImportFrom]
    return {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


@pytest.mark.parametrize(
    ("room", "never"),
    [
        ("accounts.services", OF_REQUESTS),
        ("gallery.services", OF_REQUESTS),
        ("accounts.keys", (*OF_REQUESTS, "accounts.services")),
        ("accounts.organisation", (*OF_REQUESTS, "accounts.services")),
        ("accounts.custody", (*OF_REQUESTS, "accounts.services", "accounts.keys")),
        ("accounts.models", (*OF_REQUESTS, "accounts.services", "accounts.keys")),
    ],
)
def test_a_room_never_imports_what_stands_above_it(room, never):
    found = [
        (name, imported)
        for name, arrow in arrows().items()
        for imported in arrow
        if f"{name}.".startswith(f"{room}.")
        and f"{imported}.".startswith(tuple(f"{n}." for n in never))
    ]
    assert found == []


def test_no_table_names_a_key_twice():
    twice = [
        (name, key)
        for name, path in modules().items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Dict)
        for key, times in Counter(ast.unparse(key) for key in node.keys if key).items()
        if times > 1
    ]
    assert twice == []
