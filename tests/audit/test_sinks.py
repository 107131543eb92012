"""What happens when the table, the file or both are away: either suffices, and never silence."""

import logging
import os

import pytest

from audit.events import AuditUnavailable, Event, record
from audit.file import Line
from audit.handlers import AuditHandler
from cryptocore.errors import CryptoError
from tests.audit.conftest import ALICE, IMAGE, entries, findings, lines, open_images


def release_content() -> bytes:
    """Do as every service does: record first, then hand out."""
    record(Event.IMAGE_OPENED, actor=ALICE, subject=IMAGE)
    return b"content"


def alarms(caplog) -> list[str]:
    return [log.getMessage() for log in caplog.records if log.name == "imageshare.alarm"]


def test_with_both_away_nothing_is_released(lock_table, unwritable_file, caplog):
    lock_table()
    with pytest.raises(AuditUnavailable):
        release_content()
    assert entries() == []
    assert len(alarms(caplog)) == 2


def test_with_the_table_locked_the_line_goes_to_the_file_and_an_alarm_is_raised(
    lock_table, trail_file, caplog
):
    lock_table()
    assert release_content() == b"content"
    (line,) = map(Line.parse, lines(trail_file))
    line.check()
    assert line.sequence is None
    assert alarms(caplog) == ["The audit table took no entry (OperationalError)."]
    assert entries() == []


def test_with_the_file_unwritable_the_row_is_written_and_an_alarm_is_raised(
    unwritable_file, caplog
):
    assert release_content() == b"content"
    assert [entry.sequence for entry in entries()] == [1]
    assert alarms(caplog) == ["The audit file took no line (IsADirectoryError)."]


def test_an_alarm_is_critical_and_names_nobody(unwritable_file, caplog):
    release_content()
    (log,) = [log for log in caplog.records if log.name == "imageshare.alarm"]
    assert log.levelno == logging.CRITICAL
    assert str(ALICE) not in log.getMessage()
    assert str(unwritable_file) not in log.getMessage()


def test_a_table_that_comes_back_is_written_again(lock_table, trail_file):
    other = lock_table()
    release_content()
    other.release()
    release_content()
    assert [entry.sequence for entry in entries()] == [1]
    assert [Line.parse(line).sequence for line in lines(trail_file)] == [None, 1]


def test_a_file_that_comes_back_is_written_again(unwritable_file):
    release_content()
    unwritable_file.rmdir()
    release_content()
    assert [Line.parse(line).sequence for line in lines(unwritable_file)] == [2]


def test_a_rotated_file_is_continued_in_a_new_one(five_entries, trail_file):
    trail_file.rename(trail_file.with_name("audit.jsonl.1"))
    open_images(2)
    assert [Line.parse(line).sequence for line in lines(trail_file)] == [6, 7]
    assert findings() == []


def test_half_a_line_left_by_a_power_cut_does_not_swallow_the_next(five_entries, trail_file):
    trail_file.write_bytes(trail_file.read_bytes()[:-20])
    open_images(1)
    assert Line.parse(lines(trail_file)[-1]).sequence == 6
    with pytest.raises(CryptoError):
        Line.parse(lines(trail_file)[-2])


def test_a_disk_that_takes_half_a_line_keeps_none_of_it(five_entries, trail_file, monkeypatch):
    before, write = trail_file.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
    open_images(1)
    assert trail_file.read_bytes() == before
    assert len(entries()) == 6


def test_a_handler_configured_with_a_filter_still_takes_every_event(trail_file):
    (handler,) = [h for h in logging.getLogger("audit").handlers if isinstance(h, AuditHandler)]
    handler.addFilter(lambda log: False)
    try:
        open_images(1)
    finally:
        handler.filters.clear()
    assert len(entries()) == 1


def test_folding_asks_a_table_that_is_away_and_records_once_more(settings):
    from datetime import UTC, datetime

    from audit.models import AuditEntry
    from tests.audit.conftest import tamper

    open_images(1)
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    since = datetime(2020, 1, 1, tzinfo=UTC)
    try:
        assert not AuditEntry.objects.seen_since(ALICE, Event.IMAGE_OPENED, IMAGE, since)
        assert AuditEntry.objects.thumbnails_not_seen_since(ALICE, [IMAGE], since) == [IMAGE]
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")
