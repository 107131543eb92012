"""Every attack of the list is tried by a test that names it, or it says why it cannot be."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.attacks import CANNOT_BE_TRIED, MUST

TESTS = Path(__file__).resolve().parent


def named_rows() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.attack":
                yield from (ast.literal_eval(row) for row in node.args)


def test_every_attack_is_tried_and_every_name_is_one_of_the_list():
    assert set(named_rows()) == MUST.keys()
    assert not MUST.keys() & CANNOT_BE_TRIED.keys()
