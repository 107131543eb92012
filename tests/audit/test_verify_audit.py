"""`manage.py verify_audit`: one line of result, an exit status for cron, one event."""

import io

import pytest
from django.core.management import CommandError, call_command

from audit.events import Event
from audit.models import AuditEntry
from tests.audit.conftest import findings, open_images, tamper


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_audit", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def last_entry() -> AuditEntry:
    return AuditEntry.objects.order_by("sequence").last()


def test_findings_are_listed_and_the_exit_status_is_one(five_entries):
    tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence = 3")
    err = io.StringIO()
    with pytest.raises(CommandError, match="5 entries, 1 findings") as stopped:
        call_command("verify_audit", stderr=err)
    assert stopped.value.returncode == 1
    assert err.getvalue() == "a search column differs from the entry: 3\n"
    assert last_entry().parsed().outcome == "failed"


def test_many_findings_of_a_kind_are_cut_short():
    open_images(30)
    tamper("UPDATE audit_auditentry SET event = 'x'")
    err = io.StringIO()
    with pytest.raises(CommandError, match="30 findings"):
        call_command("verify_audit", stderr=err)
    assert len(err.getvalue().splitlines()) == 21


def test_a_table_that_is_away_is_a_failure_without_its_message(five_entries):
    tamper("ALTER TABLE audit_auditentry RENAME TO elsewhere")
    try:
        with pytest.raises(CommandError, match=r"could not be read or written \(\w+Error\)"):
            run()
    finally:
        tamper("ALTER TABLE elsewhere RENAME TO audit_auditentry")


@pytest.mark.parametrize("number", ["0", "-1", "one"])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(CommandError, match="--from"):
        run("--from", number)


def test_a_whole_trail_is_one_line_and_one_event(five_entries):
    assert run() == ("Audit trail: 5 entries, all as recorded.\n", "")
    leaf = last_entry().parsed()
    assert (leaf.event, leaf.outcome) == (Event.AUDIT_VERIFIED, "done")
    assert leaf.facts == {"entries": 5, "findings": 0}
    assert last_entry().sequence == 6
    assert findings() == []


def test_reconciling_says_what_it_did_and_records_it(five_entries, lock_table, trail_file):
    other = lock_table()
    open_images(2)
    other.release()
    out, _ = run("--reconcile")
    assert out == ("Audit trail: 8 entries, all as recorded. Imported 2 lines, restored 2.\n")
    imported = AuditEntry.objects.get(event=Event.AUDIT_IMPORTED)
    assert imported.parsed().facts == {"imported": 2, "restored": 2}
    out, _ = run("--reconcile")
    assert out == "Audit trail: 9 entries, all as recorded.\n"


def test_from_a_number_on_only_that_part_is_checked(five_entries):
    tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence = 2")
    assert run("--from", "3") == ("Audit trail: 3 entries, all as recorded.\n", "")
