"""The one question to the trail: what is believed is a leaf the audit key vouches for."""

import pytest
from django.db import connections

from audit.events import AuditUnavailable, Event, Outcome, record
from audit.models import AuditEntry
from audit.vouched import Newest, vouched
from tests.audit.conftest import ALICE, BOB, IMAGE, tamper

SHARED = (Event.IMAGE_SHARED,)


def numbers(**question):
    return [leaf.facts["number"] for leaf in vouched(SHARED, **question)]


def test_the_newest_comes_first_and_of_those_asked_for_only():
    for number in range(3):
        record(Event.IMAGE_SHARED, actor=ALICE, subject=IMAGE, number=number)
    record(Event.IMAGE_SHARED, actor=BOB, subject=BOB, number=3)
    record(Event.IMAGE_REVOKED, actor=ALICE, subject=IMAGE, number=4)
    record(Event.IMAGE_SHARED, actor=ALICE, subject=IMAGE, outcome=Outcome.INTENDED, number=5)
    assert numbers(subject=IMAGE) == [2, 1, 0]
    assert numbers(actor=ALICE) == [2, 1, 0]
    assert numbers(subject=IMAGE, at_most=1) == [2]
    assert numbers() == [3, 2, 1, 0]
    assert numbers(subject=IMAGE, outcomes=(Outcome.DONE, Outcome.INTENDED)) == [5, 2, 1, 0]


LIES = {"subject": IMAGE, "actor": ALICE}


@pytest.mark.parametrize("asked", [{}, {"subject": IMAGE}, {"actor": ALICE}])
def test_a_search_column_that_says_something_else_makes_nobody_believe_it(asked):
    record(Event.IMAGE_REVOKED, actor=BOB, subject=BOB, number=1)
    tamper("UPDATE audit_auditentry SET event = 'image:shared'")
    for column, lie in LIES.items():
        said = AuditEntry._meta.get_field(column).get_db_prep_value(lie, connections["audit"])
        tamper(f"UPDATE audit_auditentry SET {column} = %s", said)
    assert AuditEntry.objects.filter(event=Event.IMAGE_SHARED, **asked).exists()
    assert numbers(**asked) == []


def test_a_leaf_without_the_audit_key_is_not_believed():
    record(Event.IMAGE_SHARED, actor=ALICE, subject=IMAGE, number=1)
    leaf = AuditEntry.objects.get().leaf
    tamper("UPDATE audit_auditentry SET leaf = %s", leaf.replace(b'"number":1', b'"number":7'))
    assert numbers(subject=IMAGE) == []


def test_a_table_that_is_away_leaves_the_question_open():
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    try:
        with pytest.raises(AuditUnavailable):
            vouched(SHARED, subject=IMAGE)
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")


@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_done_last_may_stand_and_what_was_begun_after_it(backwards):
    entries = [
        (Outcome.INTENDED, 1, "a"),
        (Outcome.DONE, 1, "a"),
        (Outcome.INTENDED, 2, "b"),
        (Outcome.INTENDED, 2, "c"),
        (Outcome.DONE, 2, "c"),
        (Outcome.INTENDED, 3, "d"),
    ]
    newest = Newest()
    for entry in reversed(entries) if backwards else entries:
        newest.take_in(*entry)
    assert (newest.number, newest.digests) == (2, {"c", "d"})
