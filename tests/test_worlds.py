"""A kept world is put back only where nothing but the same steps led to it (tests/worlds.py)."""

import ast
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client

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


# ---- whole fixtures --------------------------------------------------------------------------


class Row:
    """Somebody a fixture made: what other fixtures change is in memory, too."""

    def __init__(self, name: str) -> None:
        self.name, self.client = name, Client()


class Ran:
    """Fixtures of a test's own, and how often each was really run."""

    def __init__(self) -> None:
        self.fixtures, self.ran = Keeper(), []

    def begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Invite.objects.all().delete()
        self.fixtures.begin(monkeypatch)

    def fixture(self, function: Callable[..., Any], **given: Any) -> Any:
        return self.fixtures.fixture(function, function.__name__, given)

    def person(self, name: str) -> Row:
        def person(name: str) -> Row:
            return self._made(name, Row(name))

        return self.fixture(person, name=name)

    def image(self, person: Any) -> list[Any]:
        def image(person: Row) -> list[Any]:
            person.client.cookies["session"] = "signed in"
            person.name = "renamed"
            mail.outbox.append(EmailMessage("told"))
            return self._made("image", [person, "an image"])

        return self.fixture(image, person=person)

    def _made(self, name: str, made: Any) -> Any:
        Invite.objects.create(token_digest=name, ends_at="2027-01-01T00:00Z")
        self.ran.append(name)
        return made

    def both(self, monkeypatch: pytest.MonkeyPatch, name: str = "alice") -> tuple[Row, list[Any]]:
        self.begin(monkeypatch)
        mail.outbox.clear()
        person = self.person(name)
        return person, self.image(person)


@pytest.fixture
def ran() -> Ran:
    return Ran()


def test_a_fixture_comes_back_with_its_rows_mail_and_people(ran, monkeypatch):
    seen = []
    for _ in range(3):
        person, image = ran.both(monkeypatch)
        assert image == [person, "an image"]
        assert image[0] is person
        assert (person.name, person.client.cookies["session"].value) == ("renamed", "signed in")
        assert [one.subject for one in mail.outbox] == ["told"]
        assert set(Invite.objects.values_list("token_digest", flat=True)) == {"alice", "image"}
        seen.append(person)
        image.append("the test's own")
    assert ran.ran == ["alice", "image"]
    assert len(set(map(id, seen))) == 3


def test_what_another_parameter_led_to_is_made(ran, monkeypatch):
    for name in ("alice", "bob", "alice", "bob"):
        ran.both(monkeypatch, name)
        names = set(Invite.objects.values_list("token_digest", flat=True))
        assert names == {name, "image"}
    assert ran.ran == ["alice", "image", "bob", "image"]


def test_what_is_no_plain_fixture_s_is_an_argument_of_none(ran, monkeypatch, tmp_path):
    for _ in range(2):
        ran.begin(monkeypatch)
        ran.image(Row(str(tmp_path)))
    assert ran.ran == ["image", "image"]


def test_a_fixture_that_may_have_changed_people_counts(ran, monkeypatch, tmp_path):
    def sign_out(person: Row, tmp_path: Path) -> None:
        person.name = "changed"

    ran.both(monkeypatch)
    ran.begin(monkeypatch)
    person = ran.person("alice")
    ran.fixture(sign_out, person=person, tmp_path=tmp_path)
    ran.image(person)
    assert ran.ran == ["alice", "image", "image"]


@pytest.mark.parametrize(
    "unkept", [lambda: None, HttpResponse(), open], ids=["λ", "answer", "file"]
)
def test_what_pickle_cannot_keep_is_made_again(ran, monkeypatch, unkept):
    def scene(person: Row) -> list[Any]:
        return ran._made("scene", [open(os.devnull) if unkept is open else unkept])

    for _ in range(2):
        ran.begin(monkeypatch)
        for file in ran.fixture(scene, person=ran.person("alice")):
            if unkept is open:
                file.close()
    assert ran.ran == ["alice", "scene", "scene"]


def test_after_a_patch_or_in_the_test_itself_fixtures_run(ran, monkeypatch):
    ran.both(monkeypatch)
    ran.begin(monkeypatch)
    person = ran.person("alice")
    monkeypatch.setattr(time, "no_such_name", 1, raising=False)
    ran.image(person)
    ran.begin(monkeypatch)
    person = ran.person("alice")
    ran.fixtures.end()
    ran.image(person)
    assert ran.ran == ["alice", "image", "image", "image"]


def test_a_world_is_as_old_as_the_first_it_went_on_from(ran, monkeypatch):
    ran.both(monkeypatch)
    person, image = (ran.fixtures.kept[path] for path in sorted(ran.fixtures.kept, key=len))
    assert image.made_at == person.made_at


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
