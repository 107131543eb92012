"""Every MUST of docs/format.md is kept by a test that the table of tests/format_rules.py names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.custody import DoesNotOpen, open_with_password
from accounts.keys.certificates import verified_encryption_key
from accounts.keys.content_keys import content_key_label
from accounts.models import User, WrappedKey
from cryptocore.wrapping import wrap
from tests.accounts.test_new_start import make_new_start
from tests.conftest import PASSWORD
from tests.format_rules import KEPT_BY, NO_RULES

TESTS = Path(__file__).resolve().parent
DOCUMENT = TESTS.parent / "docs" / "format.md"
CODE_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
ITEM = re.compile(r"^(?:- |\d+\. )", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.;:])\s+(?=[A-Z*])")


def rules_of(text: str) -> Iterator[str]:
    """Yield each rule: a sentence with a MUST, or an item of a list that such a sentence begins."""
    is_begun = False
    for block in re.split(r"\n\n+", CODE_BLOCK.sub("", text)):
        parts = _parts(block)
        if is_begun and ITEM.match(block):
            yield from parts
        else:
            yield from _sentences(parts)
        last = parts[-1] if parts else ""
        is_begun = "MUST" in _sentences_of(last)[-1] and not last.endswith(".")


def _parts(block: str) -> list[str]:
    """Return the items, rows or the one paragraph of a block, each on one line."""
    if block.startswith("|"):
        return block.splitlines()
    parts = ITEM.split(block) if ITEM.match(block) else [block]
    return [" ".join(part.split()) for part in parts if part.strip()]


def _sentences_of(part: str) -> list[str]:
    return SENTENCE_END.split(part)


def _sentences(parts: list[str]) -> Iterator[str]:
    """Yield what has a MUST, but not what only begins the list that follows."""
    for part in parts:
        begins_list = part is parts[-1] and not part.endswith((".", "|"))
        sentences = _sentences_of(part)
        whole = sentences[:-1] if begins_list and "MUST" in sentences[-1] else sentences
        yield from (sentence for sentence in whole if "MUST" in sentence)


RULES = list(rules_of(DOCUMENT.read_text()))


def is_a_test(name: str) -> bool:
    module, _, function = name.partition(".")
    return any(
        isinstance(node, ast.FunctionDef) and node.name == f"test_{function}"
        for path in TESTS.rglob(f"test_{module}.py")
        for node in ast.parse(path.read_text()).body
    )


@pytest.mark.attack("F28")
def test_every_rule_is_in_the_table_and_the_table_holds_no_other():
    named = [*KEPT_BY, *NO_RULES]
    unnamed = [rule for rule in RULES if sum(rule.startswith(name) for name in named) != 1]
    gone = [name for name in named if not any(rule.startswith(name) for rule in RULES)]
    assert (unnamed, gone) == ([], [])
    assert len(RULES) > 40


@pytest.mark.attack("F28")
@pytest.mark.parametrize("rule", KEPT_BY)
def test_a_rule_is_kept_by_tests_that_are_there(rule):
    assert KEPT_BY[rule]
    assert [name for name in KEPT_BY[rule] if not is_a_test(name)] == []


# ---- rules that no other test keeps ----------------------------------------------------------


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_secret_of_another_size_in_a_wrapped_key_is_refused(shared_image, bob, size):
    wrapped = WrappedKey.objects.get(key_pair__user=bob.user)
    place = {"subject": wrapped.subject, "lock": wrapped.lock}
    label = content_key_label(wrapped.key_pair, **place)
    public_key = verified_encryption_key(wrapped.key_pair)
    WrappedKey.objects.filter(pk=wrapped.pk).update(
        oaep_bytes=wrap(bytes(size), public_key, label=label), quick_key=None
    )
    answer = bob.sign_in().get(f"/images/{shared_image.pk}/preview")
    assert answer.status_code == 409


def test_slots_of_before_a_new_start_are_no_way_in(bob):
    make_new_start(bob)
    form = {"username": "bob", "recovery_code": bob.recovery_code}
    form |= {"new_password1": "an entirely new one 42", "new_password2": "an entirely new one 42"}
    assert Client().post("/accounts/recover/", form).status_code == 422
    with pytest.raises(DoesNotOpen):
        open_with_password(User.objects.get(pk=bob.user.pk), PASSWORD)
