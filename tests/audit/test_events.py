"""record(): what it refuses, what it writes, and what it asks of its callers."""

import logging
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from audit.context import RequestContext, current_request
from audit.events import AuditUnavailable, Event, Outcome, record
from audit.file import Line
from audit.models import AuditEntry, PersonalFacts
from tests.audit.conftest import ALICE, BOB, IMAGE, entries, findings, lines, tamper


@pytest.fixture
def request_context():
    context = RequestContext("ab" * 16, "192.0.2.0/24", "Firefox")
    token = current_request.set(context)
    yield context
    current_request.reset(token)


def test_recording_inside_a_business_transaction_is_refused(trail_file):
    with pytest.raises(RuntimeError, match="transaction"), transaction.atomic():
        record(Event.IMAGE_OPENED, actor=ALICE)
    assert entries() == []
    assert not trail_file.exists()


@pytest.mark.parametrize("party", [str(ALICE), 7, object()])
def test_actor_and_subject_are_uuids(party):
    with pytest.raises(TypeError):
        record(Event.IMAGE_OPENED, actor=party)
    with pytest.raises(TypeError):
        record(Event.IMAGE_OPENED, actor=ALICE, subject=party)


def test_a_word_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="image:admired"):
        record("image:admired", actor=ALICE)
    with pytest.raises(ValueError, match="perhaps"):
        record(Event.IMAGE_OPENED, actor=ALICE, outcome="perhaps")


def test_a_fact_the_trail_does_not_take_is_refused_before_anything_is_written(trail_file):
    with pytest.raises(TypeError):
        record(Event.IMAGE_OPENED, actor=ALICE, image=IMAGE)
    assert entries() == []
    assert not trail_file.exists()


@pytest.mark.parametrize("silence", ["level", "disabled", "handler", "everything"])
def test_logging_configured_away_means_unavailable_rather_than_unrecorded(silence, monkeypatch):
    logger = logging.getLogger("audit")
    if silence == "level":
        monkeypatch.setattr(logger, "level", logging.ERROR)
    elif silence == "disabled":
        monkeypatch.setattr(logger, "disabled", True)
    elif silence == "handler":
        monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    else:
        monkeypatch.setattr(logger.manager, "disable", logging.CRITICAL)
    logger._cache.clear()
    try:
        with pytest.raises(AuditUnavailable):
            record(Event.IMAGE_OPENED, actor=ALICE)
    finally:
        logger._cache.clear()


def test_an_entry_says_who_did_what_to_what_and_how_it_went():
    before = datetime.now(UTC)
    record(Event.IMAGE_SHARED, actor=ALICE, subject=IMAGE, outcome=Outcome.INTENDED, people=2)
    leaf = AuditEntry.objects.get().parsed()
    assert (leaf.event, leaf.actor, leaf.subject) == ("image:shared", ALICE, IMAGE)
    assert (leaf.outcome, leaf.facts) == ("intended", {"people": 2})
    assert before <= leaf.time <= datetime.now(UTC)


def test_nobody_and_nothing_are_none():
    record(Event.ACCOUNT_SIGN_IN_REFUSED, actor=None)
    leaf = AuditEntry.objects.get().parsed()
    assert (leaf.actor, leaf.subject, leaf.request, leaf.personal) == (None, None, None, None)


def test_numbers_have_no_gaps_and_the_first_follows_nothing(five_entries):
    assert [entry.sequence for entry in entries()] == [1, 2, 3, 4, 5]
    assert bytes(entries()[0].previous) == bytes(32)


def test_table_and_file_say_the_same(five_entries, trail_file):
    assert [Line.parse(line) for line in lines(trail_file)] == [Line.of_entry(e) for e in entries()]
    assert findings() == []


def test_the_file_is_private_whatever_the_process_allows(trail_file):
    allowed = os.umask(0)
    try:
        record(Event.IMAGE_OPENED, actor=ALICE)
    finally:
        os.umask(allowed)
    assert trail_file.stat().st_mode & 0o777 == 0o600


def test_a_request_is_named_and_where_it_came_from_is_kept_beside_the_entry(request_context):
    record(Event.ACCOUNT_SIGNED_IN, actor=ALICE)
    entry, facts = AuditEntry.objects.get(), PersonalFacts.objects.get()
    assert entry.request == entry.parsed().request == "ab" * 16
    assert (facts.address, facts.agent) == ("192.0.2.0/24", "Firefox")
    assert b"192.0.2" not in bytes(entry.leaf)
    assert b"Firefox" not in bytes(entry.leaf)
    assert findings() == []


def test_the_file_holds_nothing_personal(request_context, trail_file):
    record(Event.ACCOUNT_SIGNED_IN, actor=ALICE)
    assert b"192.0.2" not in trail_file.read_bytes()
    assert b"Firefox" not in trail_file.read_bytes()


def test_erasing_personal_facts_keeps_the_chain_whole(request_context):
    record(Event.ACCOUNT_SIGNED_IN, actor=ALICE)
    record(Event.ACCOUNT_SIGNED_OUT, actor=ALICE)
    PersonalFacts.objects.filter(entry__actor=ALICE).delete()
    assert PersonalFacts.objects.count() == 0
    assert len(entries()) == 2
    assert findings() == []


def test_entries_outlive_the_people_they_speak_of():
    get_user_model().objects.create_user("zoe").delete()  # recorded as intended, then as done
    assert len(entries()) == 2
    assert findings() == []


def test_what_breaks_lines_in_a_fact_stays_inside_its_line(trail_file):
    hostile = 'one\r\ntwo\x1b[31m\u2028\x00"}\n{"leaf":"forged"}'
    record(Event.REQUEST_REFUSED, actor=ALICE, reason=hostile)
    (line,) = trail_file.read_bytes().split(b"\n")[:-1]
    assert not set(line) & set(range(0x20))
    assert AuditEntry.objects.get().parsed().facts == {"reason": hostile}
    assert findings() == []


def test_a_clock_set_back_changes_no_order():
    record(Event.IMAGE_OPENED, actor=ALICE)
    earlier = timezone.now() - timedelta(hours=2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: earlier)
        record(Event.IMAGE_OPENED, actor=ALICE)
    first, second = entries()
    assert second.time < first.time
    assert findings() == []


def test_every_event_is_named_subject_then_what_happened():
    for event in Event:
        subject, colon, happened = event.value.partition(":")
        assert colon
        assert subject.replace("-", "").isalpha()
        assert happened.replace("-", "").isalpha()
        assert event.value == event.value.lower()
        assert event.name == event.value.replace(":", "_").replace("-", "_").upper()


# ---- folding ---------------------------------------------------------------------------------


def seen(actor=ALICE, event=Event.IMAGE_OPENED, subject=IMAGE, minutes=10, **more) -> bool:
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    return AuditEntry.objects.seen_since(actor, event, subject, since, **more)


def test_only_the_same_by_the_same_about_the_same_and_lately_was_seen_before():
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    assert seen()
    assert not seen(actor=BOB)
    assert not seen(event=Event.IMAGE_REFUSED)
    assert not seen(subject=ALICE)
    assert not seen(minutes=-1)


@pytest.mark.parametrize("outcome", [Outcome.INTENDED, Outcome.FAILED, Outcome.REFUSED])
def test_what_was_not_done_was_not_seen(outcome):
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE, outcome=outcome)
    assert not seen()
    assert seen(outcome=outcome)


@pytest.mark.parametrize(
    ("column", "forged"),
    [("chain", bytes(32)), ("leaf", bytes(40)), ("leaf_hash", bytes(32)), ("key_id", "nobody")],
)
def test_a_row_the_audit_key_does_not_vouch_for_keeps_nothing_out_of_the_trail(column, forged):
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    tamper(f"UPDATE audit_auditentry SET {column} = %s", forged)
    assert not seen()


@pytest.mark.parametrize("column", ["actor", "subject"])
def test_a_row_moved_to_another_person_or_image_keeps_nothing_out_of_the_trail(column):
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    tamper(f"UPDATE audit_auditentry SET {column} = %s", BOB.hex)
    assert not seen(**{column: BOB})


def test_a_row_moved_to_another_time_keeps_nothing_out_of_the_trail():
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    assert not seen(minutes=-1)
    tamper("UPDATE audit_auditentry SET time = '2999-01-01 00:00:00'")
    assert not seen(minutes=-1)


def test_a_forged_page_of_thumbnails_keeps_nothing_out_of_the_trail():
    since = datetime.now(UTC) - timedelta(minutes=10)
    record(Event.THUMBNAILS_OPENED, actor=ALICE, images=[str(IMAGE)])
    tamper("UPDATE audit_auditentry SET chain = %s", bytes(32))
    assert AuditEntry.objects.thumbnails_not_seen_since(ALICE, [IMAGE], since) == [IMAGE]


def test_a_thumbnail_was_seen_if_a_page_of_the_same_person_named_it():
    since, other = datetime.now(UTC) - timedelta(minutes=10), uuid4()
    record(Event.THUMBNAILS_OPENED, actor=ALICE, images=[str(IMAGE)])
    record(Event.THUMBNAILS_OPENED, actor=ALICE, images=[str(other), str(BOB)])
    record(Event.THUMBNAILS_OPENED, actor=ALICE, images=[])
    record(Event.THUMBNAILS_OPENED, actor=ALICE)
    not_seen = AuditEntry.objects.thumbnails_not_seen_since
    assert not_seen(ALICE, [other, ALICE, IMAGE], since) == [ALICE]
    assert not_seen(ALICE, [], since) == []
    assert not_seen(BOB, [IMAGE], since) == [IMAGE]
    assert not_seen(ALICE, [IMAGE], datetime.now(UTC)) == [IMAGE]
