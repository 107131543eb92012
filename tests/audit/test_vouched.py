"""The one question to the trail: what is believed is a leaf the audit key vouches for."""

import uuid

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from audit.events import AuditUnavailable, Event, Outcome, record, recorded
from audit.models import AuditEntry
from audit.vouched import Newest, vouched, vouched_of_each
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


def test_of_many_things_each_has_its_own_entries_oldest_first_by_one_query():
    for number, subject in enumerate([IMAGE, BOB, IMAGE, ALICE]):
        record(Event.IMAGE_SHARED, actor=ALICE, subject=subject, number=number)
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    record(Event.IMAGE_SHARED, actor=ALICE, subject=IMAGE, outcome=Outcome.INTENDED, number=9)
    nobody = uuid.uuid4()
    with CaptureQueriesContext(connections["audit"]) as queries:
        found = vouched_of_each(SHARED, subjects=[IMAGE, BOB, nobody])
    told = {subject: [leaf.facts["number"] for leaf in leaves] for subject, leaves in found.items()}
    assert told == {IMAGE: [0, 2], BOB: [1], nobody: []}
    assert len(queries) == 1


def test_an_entry_whose_column_names_another_thing_is_not_about_that():
    record(Event.IMAGE_SHARED, actor=ALICE, subject=BOB, number=1)
    said = AuditEntry._meta.get_field("subject").get_db_prep_value(IMAGE, connections["audit"])
    tamper("UPDATE audit_auditentry SET subject = %s", said)
    assert vouched_of_each(SHARED, subjects=[IMAGE]) == {IMAGE: []}


def test_an_intention_that_must_be_in_the_table_is_refused_where_the_file_alone_takes_it():
    about, done = {"actor": ALICE, "subject": IMAGE}, []
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    try:
        record(Event.IMAGE_SHARED, **about)
        refused = pytest.raises(AuditUnavailable)
        with refused, recorded(Event.IMAGE_SHARED, **about, in_table=True):
            done.append(True)
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")
    assert not done


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
    stand = [(2, "c"), (3, "d")]
    states = [(number, digest) for number in range(5) for digest in "abcd"]
    assert [state for state in states if newest.allows(*state)] == stand
