import unicodedata

import pytest

from cryptocore.passwords import Argon2Cost, new_salt, normalise, stretch
from tests.cryptocore.refusals import assert_refused

CHEAP = Argon2Cost(time_cost=1, memory_kib=64, parallelism=1)
SALT = bytes(range(16))


@pytest.mark.parametrize(
    "cost",
    [
        Argon2Cost(0, 64, 1),
        Argon2Cost(1, 0, 1),
        Argon2Cost(1, 7, 1),
        Argon2Cost(1, 64, 0),
        Argon2Cost(-1, 64, 1),
        Argon2Cost(1, 64, 2**24),
        Argon2Cost(2**32, 64, 1),
        Argon2Cost(1, 64, 2**64),
    ],
    ids=repr,
)
def test_a_cost_that_argon2_refuses_is_refused(cost):
    assert_refused(stretch, "password", salt=SALT, cost=cost)


def test_a_salt_that_argon2_refuses_is_refused():
    assert_refused(stretch, "password", salt=bytes(7), cost=CHEAP)


def test_text_that_is_not_unicode_is_refused():
    assert_refused(stretch, "half \ud800", salt=SALT, cost=CHEAP)


def test_one_password_in_two_forms_gives_one_key():
    composed = "Grüße aus Ångström"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert normalise(decomposed) == composed
    assert stretch(composed, salt=SALT, cost=CHEAP) == stretch(decomposed, salt=SALT, cost=CHEAP)


@pytest.mark.parametrize(
    "password", [" space ", "ﬁ", "ＡＢＣ", "Ⅳ", "tab\t", "\x00", "a\u200bb", ""]
)
def test_nothing_else_about_a_password_is_changed(password):
    assert normalise(password) == password


def test_everything_that_goes_in_changes_the_key():
    keys = {
        stretch("password", salt=SALT, cost=CHEAP),
        stretch("Password", salt=SALT, cost=CHEAP),
        stretch("password ", salt=SALT, cost=CHEAP),
        stretch("password", salt=SALT[::-1], cost=CHEAP),
        stretch("password", salt=SALT, cost=Argon2Cost(2, 64, 1)),
        stretch("password", salt=SALT, cost=Argon2Cost(1, 72, 1)),
        stretch("password", salt=SALT, cost=Argon2Cost(1, 64, 2)),
    }
    assert len(keys) == 7
    assert {len(key) for key in keys} == {32}


def test_salts_are_sixteen_bytes_and_differ():
    salts = {new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert {len(salt) for salt in salts} == {16}
