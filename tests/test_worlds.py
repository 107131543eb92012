"""A kept world is put back only where nothing but the same steps led to it (tests/worlds.py)."""

import ast
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Invite
from tests import worlds
from tests.worlds import Fixtures, fixtures

TESTS = Path(__file__).resolve().parent


class Keeper(Fixtures):
    """One of a test's own. Statements are counted by that of the whole run."""

    changes = property(lambda self: fixtures.changes, lambda self, value: None)


class Steps:
    """Steps that each add a row, and how many of them were really made."""

    def __init__(self) -> None:
        self.fixtures, self.made = Keeper(), 0

    def begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Invite.objects.all().delete()
        self.fixtures.begin(monkeypatch)

    def add(self, name: str) -> list[str]:
        def make() -> None:
            Invite.objects.create(token_digest=name, ends_at="2027-01-01T00:00Z")
            self.made += 1

        self.fixtures.step("add", name, make=make)
        return list(Invite.objects.order_by("token_digest").values_list("token_digest", flat=True))


@pytest.fixture
def steps() -> Steps:
    return Steps()


def begin_again(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.begin(monkeypatch)
    assert steps.add("a") == ["a"]
    assert steps.add("b") == ["a", "b"]


def test_the_same_steps_are_made_once(steps, monkeypatch):
    for _ in range(3):
        begin_again(steps, monkeypatch)
    assert steps.made == 2


def test_other_steps_are_made(steps, monkeypatch):
    begin_again(steps, monkeypatch)
    steps.begin(monkeypatch)
    assert steps.add("b") == ["b"]
    assert steps.add("a") == ["a", "b"]
    assert steps.made == 4


def test_a_row_that_something_else_changed_is_kept(steps, monkeypatch):
    begin_again(steps, monkeypatch)
    steps.begin(monkeypatch)
    Invite.objects.create(token_digest="c", ends_at="2027-01-01T00:00Z")
    assert steps.add("a") == ["a", "c"]


def test_after_a_patch_or_a_setting_the_real_code_runs(steps, monkeypatch, settings):
    begin_again(steps, monkeypatch)
    steps.begin(monkeypatch)
    monkeypatch.setattr(time, "no_such_name", 1, raising=False)
    steps.add("a")
    assert steps.made == 3
    steps.begin(monkeypatch)
    settings.THREADS = settings.THREADS
    steps.add("a")
    assert steps.made == 4


def test_in_the_test_itself_the_real_code_runs(steps, monkeypatch):
    begin_again(steps, monkeypatch)
    steps.begin(monkeypatch)
    steps.fixtures.end()
    steps.add("a")
    assert steps.made == 3


def test_a_world_made_again_takes_along_what_went_on_from_it(steps, monkeypatch):
    begin_again(steps, monkeypatch)
    first = min(steps.fixtures.kept, key=len)
    steps.fixtures.kept[first].made_at -= worlds.SECONDS  # too old; what followed is not
    begin_again(steps, monkeypatch)
    assert steps.made == 4


def test_fixtures_patch_by_the_one_that_is_watched():
    """A fixture's own MonkeyPatch would be overlooked, and a world of unpatched code put back."""
    unseen = {"context", "MonkeyPatch", "patch", "override_settings"}
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in TESTS.rglob("*.py")
        for function in fixtures_in(ast.parse(path.read_text()))
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in unseen
    ]
    assert not found


def fixtures_in(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            "fixture" in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            yield node
