"""Every attack of the list is tried by a test that names it, or it says why it cannot be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.attacks import CANNOT_BE_TRIED, MUST

TESTS = Path(__file__).resolve().parent
THREAT_MODEL = TESTS.parent / "docs" / "threat-model.md"
TRIED_BY = re.compile(r"\| (?P<rows>[A-F]\d[^|:]*): (?P<links>[^|]*) \|$", re.MULTILINE)
ROWS = re.compile(r"([A-F])(\d+)(?:–[A-F](\d+))?")
LINK = re.compile(r"\]\((?:\.\./)?([^)]+)\)")


def rows_named_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.attack":
            yield from (ast.literal_eval(row) for row in node.args)


def rows_of(text: str) -> set[str]:
    """The rows a cell means, spans spelled out, without those that cannot be tried."""
    spans = ROWS.findall(text)
    meant = {
        f"{letter}{number}"
        for letter, first, last in spans
        for number in range(int(first), int(last or first) + 1)
    }
    return meant - CANNOT_BE_TRIED.keys()


def test_every_attack_is_tried_and_every_name_is_one_of_the_list():
    named = {row for path in TESTS.rglob("test_*.py") for row in rows_named_in(path)}
    assert named == MUST.keys()
    assert not MUST.keys() & CANNOT_BE_TRIED.keys()


def test_the_threat_model_links_each_row_to_a_test_that_names_it():
    lines = list(TRIED_BY.finditer(THREAT_MODEL.read_text()))
    assert len(lines) > 10
    for line in lines:
        files = [THREAT_MODEL.parent.parent / link for link in LINK.findall(line["links"])]
        named = {row for path in files for row in rows_named_in(path)}
        assert rows_of(line["rows"]) - named == set(), line["rows"]
