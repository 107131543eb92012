"""The documents name everything there is, and nothing that is not."""

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.keys.verification import Kind as KeyFinding
from audit.events import Event, Outcome
from cryptocore.statements import KINDS
from gallery.verification.findings import Kind as ImageFinding

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = [str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"))]
OURS = ("accounts", "audit", "gallery", "imageshare")


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def settings_read() -> set[str]:
    """The environment variables that settings and start read."""
    read = r'(?:env\.\w+|environ\.get|database)\(\s*"([A-Z_]+)"'
    names = {
        name
        for file in ("imageshare/settings.py", "imageshare/start.py")
        for name in re.findall(read, text_of(file))
    }
    return names - {"DJANGO_SETTINGS_MODULE"}


def test_every_setting_is_explained():
    documented = set(re.findall(r"`([A-Z_]{4,})`", text_of("docs/operations.md")))
    assert settings_read() - documented == set()


def test_every_variable_of_the_example_is_a_setting():
    names = set(re.findall(r"^([A-Z_]+)=", text_of(".env.example"), re.MULTILINE))
    assert names <= settings_read()


def test_every_event_and_outcome_is_explained_and_used():
    described = set(re.findall(r"`([a-z-]+:[a-z-]+)`", text_of("docs/audit.md")))
    assert set(Event.values) - described == set(), "add a row to docs/audit.md"
    assert described - set(Event.values) == set(), "docs/audit.md has a row of no event"
    assert all(f"| `{outcome}` |" in text_of("docs/audit.md") for outcome in Outcome.values)
    assert {event.name for event in Event} - members_named(nodes_in(*OURS)) == set()


def test_every_event_is_looked_for_by_a_test():
    found = nodes_in("tests")
    values = {node.value for node in found if isinstance(node, ast.Constant)}
    named = members_named(found)
    unseen = [event for event in Event if event.name not in named]
    assert set(unseen) - values == set(), "test that the act records it, beside its other tests"


def nodes_in(*folders: str) -> list[ast.AST]:
    """Return what all code there is made of: an event that a comment names is not used."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def members_named(nodes: list[ast.AST]) -> set[str]:
    """Return what stands behind `Event.`."""
    behind = [node for node in nodes if isinstance(node, ast.Attribute)]
    return {node.attr for node in behind if getattr(node.value, "id", "") == "Event"}


def test_every_command_is_explained():
    ours = {name for name, app in get_commands().items() if app in OURS}
    assert [name for name in sorted(ours) if f"`{name}" not in text_of("docs/operations.md")] == []


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith("admin/"):
            continue
        if isinstance(pattern, URLPattern):
            found.append(path)
        else:
            found += addresses(pattern.url_patterns, path)
    return found


def in_tables() -> set[str]:
    """Return the addresses in the first column of the tables of docs/http.md."""
    tables = re.findall(r"^\| address \|.*\n(?:\|.*\n)+", text_of("docs/http.md"), re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    return {address for row in rows for address in re.findall(r"`([^`]+)`", row.split("|")[1])}


def as_documented(address: str) -> str:
    """Return an address of the URLconf as people write it: `<uuid>` for any id, else a name."""
    return "/" + re.sub(r"<\w+:", "<", re.sub(r"<uuid:\w+>", "<uuid>", address))


def test_every_address_has_a_row_and_every_row_is_an_address():
    ours = {as_documented(address) for address in addresses(get_resolver().url_patterns)}
    assert ours - in_tables() == set(), "add a row to docs/http.md"
    assert in_tables() - ours == set(), "docs/http.md has a row of no address"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str):
    place = (ROOT / document).parent
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(document))
    assert [target for target in targets if not (place / target).exists()] == []


def anchors_of(document: str) -> set[str]:
    """What GitHub lets a link lead to: each heading in small letters, hyphens for its spaces."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_into_documents_lead_to_a_heading(document: str):
    place = (ROOT / document).parent
    links = re.findall(r"\]\(([^)#:]*\.md)?#([^)]+)\)", text_of(document))
    headings = {
        target: anchors_of(str((place / target).relative_to(ROOT) if target else document))
        for target, _ in links
    }
    assert [anchor for target, anchor in links if anchor not in headings[target]] == []


@pytest.mark.parametrize(
    ("command", "findings"), [("verify_keys", KeyFinding), ("verify_images", ImageFinding)]
)
def test_a_finding_that_is_explained_is_one_that_the_command_prints(
    command: str, findings: type[StrEnum]
):
    rows = re.findall(rf"^\| `{command}`: (.+?) \|", text_of("docs/operations.md"), re.MULTILINE)
    quoted = [words for row in rows for words in re.findall(r"`([^`]+ [^`]+)`", row)]
    assert quoted != []
    for words in quoted:
        in_order = ".*".join(re.escape(piece.strip()) for piece in words.split("…"))
        assert any(re.search(in_order, finding) for finding in findings), words


def test_the_map_has_every_folder_and_every_file_of_the_gallery():
    readme = text_of("README.md")
    folders = {
        path.parent.name
        for package in OURS
        for path in (ROOT / package).rglob("__init__.py")
        if not {"migrations", "management"} & {*path.parts}
    }
    assert {name for name in folders if f"{name}/" not in readme} == set()
    files = {path.stem for path in (ROOT / "gallery").glob("[!_]*.py")}
    rows = re.search(r"^\| files of `gallery/` .*\n(?:\|.*\n)+", readme, re.MULTILINE)
    assert rows
    assert files ^ set(re.findall(r"`(\w+)`", rows[0])) == set()


def test_every_test_that_the_readme_names_is_one():
    named = set(re.findall(r"`(test_\w+)`", text_of("README.md")))
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert named - set(re.findall(r"^def (test_\w+)\(", code, re.MULTILINE)) == set()


def glossary() -> dict[str, str]:
    """Each word of ours, and the first file that it is said to live in."""
    entry = r"^- \*\*([^*]+)\*\*: [^*]*?\(\[([\w/.]+)\]"
    return dict(re.findall(entry, text_of("docs/glossary.md"), re.MULTILINE))


def test_the_glossary_is_in_alphabetical_order_and_names_a_place_for_each_word():
    words = re.findall(r"^- \*\*(.+?)\*\*", text_of("docs/glossary.md"), re.MULTILINE)
    assert words == sorted(words, key=str.lower)
    assert list(glossary()) == words


def test_the_glossary_has_every_kind_of_statement():
    (entry,) = re.findall(
        r"^- \*\*statement\*\*: (.+\n.+)", text_of("docs/glossary.md"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", entry)) == KINDS.keys()


@pytest.mark.parametrize(("word", "file"), glossary().items())
def test_a_word_of_the_glossary_is_used_where_it_is_said_to_live(word: str, file: str):
    split_at_capitals = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text_of(file))
    spoken = re.sub(r"[\s_]+#?\s*", " ", split_at_capitals)
    assert word.lower() in spoken.lower()
