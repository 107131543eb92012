"""Table and file brought together after one of them was away."""

from audit.file import Line
from audit.reconciliation import Reconciled, reconcile
from tests.audit.conftest import entries, findings, lines, open_images, tamper


def test_a_line_without_table_is_imported_with_its_leaf_and_stands_at_the_end(
    five_entries, lock_table, trail_file
):
    other = lock_table()
    open_images(2)
    other.release()
    open_images(1)
    waiting = [Line.parse(line).leaf for line in lines(trail_file)[5:7]]
    assert reconcile() == Reconciled(imported=2, restored=2)
    assert [bytes(entry.leaf) for entry in entries()[6:]] == waiting
    assert entries()[7].time < entries()[5].time
    assert findings() == []


def test_importing_twice_adds_nothing(lock_table, trail_file):
    other = lock_table()
    open_images(3)
    other.release()
    reconcile()
    before = trail_file.read_bytes()
    assert reconcile() == Reconciled(imported=0, restored=0)
    assert trail_file.read_bytes() == before
    assert len(entries()) == 3


def test_one_line_written_twice_is_imported_once(lock_table, trail_file):
    other = lock_table()
    open_images(1)
    other.release()
    trail_file.write_bytes(trail_file.read_bytes() * 2)
    assert reconcile().imported == 1
    assert findings() == []


def test_entries_missing_from_the_file_are_appended_to_it(five_entries, trail_file):
    all_lines = lines(trail_file)
    trail_file.write_bytes(b"".join(all_lines[1:3]))
    assert reconcile() == Reconciled(imported=0, restored=3)
    assert lines(trail_file) == [all_lines[number] for number in (1, 2, 0, 3, 4)]
    assert findings() == []


def test_a_file_that_was_away_is_filled(unwritable_file):
    open_images(3)
    unwritable_file.rmdir()
    assert reconcile() == Reconciled(imported=0, restored=3)
    assert findings() == []


def test_a_forged_line_is_not_imported(trail_file, lock_table):
    other = lock_table()
    open_images(1)
    other.release()
    trail_file.write_bytes(trail_file.read_bytes().replace(b'number\\":0', b'number\\":7'))
    assert b'number\\":7' in trail_file.read_bytes()
    assert reconcile() == Reconciled(imported=0, restored=0)
    assert entries() == []


def test_a_forged_row_is_not_copied_to_the_file(five_entries, trail_file):
    tamper("UPDATE audit_auditentry SET leaf = leaf_hash WHERE sequence = 3")
    trail_file.unlink()
    assert reconcile() == Reconciled(imported=0, restored=4)
    assert 3 not in [Line.parse(line).sequence for line in lines(trail_file)]


def test_only_what_follows_the_start_is_appended_to_the_file(five_entries, trail_file):
    trail_file.unlink()
    assert reconcile(start=4) == Reconciled(imported=0, restored=2)
    assert [Line.parse(line).sequence for line in lines(trail_file)] == [4, 5]
