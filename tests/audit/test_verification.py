"""Each way of tampering is found, and distinguished from the others."""

import gzip
import json

import pytest

from audit import chain
from audit.context import RequestContext, current_request
from audit.events import Event, record
from audit.file import Line
from audit.verification import Kind, NumberSet, verify
from tests.audit.conftest import (
    ALICE,
    BOB,
    entries,
    findings,
    lines,
    open_images,
    tamper,
)
from tests.postgres import only_sqlite


@pytest.fixture(autouse=True)
def recorded(five_entries):
    """Five entries, in table and file."""


def rewrite(path, change) -> None:
    """Replace the file's lines by what `change` makes of them."""
    path.write_bytes(b"".join(change(lines(path))))


def forged_leaf() -> bytes:
    return bytes(entries()[2].leaf).replace(str(ALICE).encode(), str(BOB).encode())


def test_an_untouched_trail_has_no_findings():
    assert findings() == []


def test_an_empty_trail_has_no_findings(settings, tmp_path):
    tamper("DELETE FROM audit_auditentry")
    tamper("DELETE FROM audit_audithead")
    settings.AUDIT_FILE = tmp_path / "other.jsonl"
    assert findings() == []


# ---- the table -------------------------------------------------------------------------------


def test_an_edited_leaf_is_found():
    tamper("UPDATE audit_auditentry SET leaf = %s WHERE sequence = 3", forged_leaf())
    assert findings() == [(Kind.EDITED, 3, 3)]


def test_an_edited_leaf_with_a_fitting_hash_is_found():
    leaf = forged_leaf()
    tamper(
        "UPDATE audit_auditentry SET leaf = %s, leaf_hash = %s WHERE sequence = 3",
        leaf,
        chain.hash_leaf(leaf),
    )
    assert findings() == [(Kind.EDITED, 3, 3)]


def test_an_edited_entry_chained_under_another_key_is_found():
    leaf, entry = forged_leaf(), entries()[2]
    leaf_hash = chain.hash_leaf(leaf)
    forged = chain.link(bytes(entry.previous), leaf_hash, b"guess" * 8)
    tamper(
        "UPDATE audit_auditentry SET leaf = %s, leaf_hash = %s, chain = %s WHERE sequence = 3",
        leaf,
        leaf_hash,
        forged,
    )
    assert findings() == [(Kind.EDITED, 3, 3)]


@pytest.mark.parametrize("column", ["leaf_hash", "previous", "chain"])
@pytest.mark.parametrize("value", [b"", b"x" * 32])
def test_a_changed_hash_is_found(column, value):
    tamper(f"UPDATE audit_auditentry SET {column} = %s WHERE sequence = 3", value)
    assert findings() == [(Kind.EDITED, 3, 3)]


def test_the_last_entry_edited_is_found():
    tamper("UPDATE audit_auditentry SET leaf = %s WHERE sequence = 5", forged_leaf())
    assert findings() == [(Kind.EDITED, 5, 5)]


def test_all_entries_edited_are_found():
    tamper("UPDATE audit_auditentry SET leaf = %s", forged_leaf())
    assert findings() == [(Kind.EDITED, number, number) for number in (1, 2, 3, 4, 5)]


def test_an_entry_under_a_key_nobody_has_is_named_as_that():
    tamper("UPDATE audit_auditentry SET key_id = 'lost' WHERE sequence = 3")
    assert findings() == [(Kind.KEY_UNKNOWN, 3, 3)]


@pytest.mark.parametrize("numbers", [(1, 1), (3, 3), (2, 4)])
def test_deleted_entries_are_found(numbers):
    tamper("DELETE FROM audit_auditentry WHERE sequence BETWEEN %s AND %s", *numbers)
    assert findings() == [(Kind.DELETED, *numbers)]


def test_a_deleted_entry_is_found_though_the_rest_was_numbered_again(trail_file):
    tamper("DELETE FROM audit_auditentry WHERE sequence = 3")
    tamper("UPDATE audit_auditentry SET sequence = sequence - 1 WHERE sequence > 3")
    tamper("UPDATE audit_audithead SET sequence = 4")
    trail_file.unlink()
    assert findings()[0] == (Kind.DELETED, 3, 3)


def test_an_inserted_entry_is_found(trail_file):
    tamper("UPDATE audit_auditentry SET sequence = -sequence WHERE sequence > 2")
    tamper("UPDATE audit_auditentry SET sequence = 1 - sequence WHERE sequence < 0")
    tamper("UPDATE audit_audithead SET sequence = 6")
    insert_forgery(3)
    trail_file.unlink()
    assert findings()[0] == (Kind.INSERTED, 3, 3)


def test_an_entry_inserted_at_the_end_is_found_with_and_without_the_head():
    insert_forgery(6)
    assert findings() == [(Kind.INSERTED, 6, 6)]
    tamper("UPDATE audit_audithead SET sequence = 6")
    assert (Kind.INSERTED, 6, 6) in findings()


def insert_forgery(sequence: object) -> None:
    leaf = forged_leaf()
    tamper(
        "INSERT INTO audit_auditentry (sequence, leaf, leaf_hash, previous, chain, key_id, time, "
        "event, actor, subject, outcome) SELECT %s, %s, %s, %s, %s, key_id, time, event, actor, "
        "subject, outcome FROM audit_auditentry WHERE sequence = 1",
        *(sequence, leaf, chain.hash_leaf(leaf), b"p" * 32, b"c" * 32),
    )


def test_two_entries_exchanged_are_found(trail_file):
    for old, new in ((3, -3), (4, 3), (-3, 4)):
        tamper("UPDATE audit_auditentry SET sequence = %s WHERE sequence = %s", new, old)
    trail_file.unlink()
    assert [found for found in findings() if found[0] != Kind.FILE_TRUNCATED] == [
        (Kind.REORDERED, number, number) for number in (3, 4, 5)
    ]


def test_a_table_cut_at_the_end_is_found_by_its_head():
    tamper("DELETE FROM audit_auditentry WHERE sequence > 3")
    assert findings() == [(Kind.TABLE_TRUNCATED, 4, 5)]


def test_a_table_emptied_is_found_by_its_head():
    tamper("DELETE FROM audit_auditentry")
    assert findings() == [(Kind.TABLE_TRUNCATED, 1, 5)]


def test_table_and_head_cut_alike_are_found_by_the_file():
    roll_back_to(3)
    assert findings() == [(Kind.TABLE_TRUNCATED, 4, 5)]


def test_table_and_head_emptied_alike_are_found_by_the_file():
    tamper("DELETE FROM audit_auditentry")
    tamper("DELETE FROM audit_audithead")
    assert findings() == [(Kind.TABLE_TRUNCATED, 1, 5)]


@pytest.mark.attack("D3")
def test_yesterdays_copy_put_back_and_continued_is_found_by_the_file():
    roll_back_to(3)
    open_images(2)
    conflicts = [(Kind.LINE_CONFLICTS, 4, 4), (Kind.LINE_CONFLICTS, 5, 5)]
    assert findings() == conflicts


def roll_back_to(sequence: int) -> None:
    tamper("DELETE FROM audit_auditentry WHERE sequence > %s", sequence)
    head_back_to(sequence)


def head_back_to(sequence: int) -> None:
    tamper(
        "UPDATE audit_audithead SET sequence = %s, "
        "chain = (SELECT chain FROM audit_auditentry WHERE sequence = %s)",
        *(sequence, sequence),
    )


def test_a_head_rolled_back_is_found():
    head_back_to(3)
    assert (Kind.HEAD_ALTERED, 4, 5) in findings()


def test_a_head_with_another_chain_value_is_found():
    tamper("UPDATE audit_audithead SET chain = %s", b"c" * 32)
    assert findings() == [(Kind.HEAD_ALTERED, 5, 5)]


def test_a_head_removed_is_found():
    tamper("DELETE FROM audit_audithead")
    assert (Kind.HEAD_ALTERED, 1, 5) in findings()


def test_a_rolled_back_head_makes_no_fork(caplog):
    head_back_to(3)
    open_images(1)
    assert [entry.sequence for entry in entries()] == [1, 2, 3, 4, 5]
    assert "The audit table took no entry (IntegrityError)." in caplog.messages


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time", "2020-01-01 00:00:00"),
        ("event", "image:shared"),
        ("actor", BOB.hex),
        ("subject", None),
        ("outcome", "refused"),
        ("request", "ab" * 16),
    ],
)
def test_a_search_column_altered_is_found(column, value):
    tamper(f"UPDATE audit_auditentry SET {column} = %s WHERE sequence = 3", value)
    assert findings() == [(Kind.COLUMN_ALTERED, 3, 3)]


@pytest.mark.parametrize(
    ("column", "value"), [("address", "198.51.100.0/24"), ("agent", "other"), ("salt", b"s" * 32)]
)
def test_personal_facts_altered_are_found(column, value):
    token = current_request.set(RequestContext("ab" * 16, "192.0.2.0/24", "Firefox"))
    record(Event.ACCOUNT_SIGNED_IN, actor=ALICE)
    current_request.reset(token)
    assert findings() == []
    tamper(f"UPDATE audit_personalfacts SET {column} = %s", value)
    assert findings() == [(Kind.PERSONAL_ALTERED, 6, 6)]


def test_personal_facts_put_beside_an_entry_that_had_none_are_found():
    tamper(
        "INSERT INTO audit_personalfacts (entry_id, salt, address, agent) VALUES (3, %s, '', '')",
        bytes(32),
    )
    assert findings() == [(Kind.PERSONAL_ALTERED, 3, 3)]


# ---- cells of another type: SQLite keeps whatever is written; PostgreSQL refuses some --------


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("leaf", "text", Kind.EDITED),
        pytest.param("leaf", 7, Kind.EDITED, marks=only_sqlite),
        ("leaf_hash", "text", Kind.EDITED),
        ("previous", "text", Kind.EDITED),
        pytest.param("chain", 7, Kind.EDITED, marks=only_sqlite),
        ("key_id", b"\xff", Kind.KEY_UNKNOWN),
        pytest.param("time", "yesterday", Kind.COLUMN_ALTERED, marks=only_sqlite),
        pytest.param("time", b"\xff", Kind.COLUMN_ALTERED, marks=only_sqlite),
        pytest.param("actor", "alice", Kind.COLUMN_ALTERED, marks=only_sqlite),
        pytest.param("subject", b"\xff", Kind.COLUMN_ALTERED, marks=only_sqlite),
        ("event", b"\xff", Kind.COLUMN_ALTERED),
    ],
)
def test_a_cell_nobody_can_read_is_found_and_hides_nothing(column, value, kind):
    tamper(f"UPDATE audit_auditentry SET {column} = %s WHERE sequence = 3", value)
    tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence = 5")
    assert findings() == [(kind, 3, 3), (Kind.COLUMN_ALTERED, 5, 5)]


@pytest.mark.parametrize("number", [2**62, 2**63 - 1])
def test_a_head_that_counts_too_many_is_found_without_counting_them(number):
    tamper("UPDATE audit_audithead SET sequence = %s", number)
    assert (Kind.TABLE_TRUNCATED, 6, number) in findings()


@pytest.mark.parametrize("number", [2**62, 0, -3])
def test_a_row_numbered_where_none_can_be_is_found(number):
    insert_forgery(number)
    assert findings() == [(Kind.INSERTED, number, number)]


@only_sqlite
@pytest.mark.parametrize("number", ["text", 2.5])
def test_a_row_with_a_number_that_is_none_is_found(number):
    insert_forgery(number)
    assert Kind.INSERTED in [kind for kind, _, _ in findings()]


@only_sqlite
def test_a_head_with_a_number_that_is_none_is_found():
    tamper("UPDATE audit_audithead SET sequence = 'many'")
    assert (Kind.HEAD_ALTERED, 1, 5) in findings()


# ---- the file --------------------------------------------------------------------------------


def test_a_file_cut_at_the_end_is_found(trail_file):
    rewrite(trail_file, lambda all_lines: all_lines[:3])
    assert findings() == [(Kind.FILE_TRUNCATED, 4, 5)]


def test_a_file_removed_is_found(trail_file):
    trail_file.unlink()
    assert findings() == [(Kind.FILE_TRUNCATED, 1, 5)]


@pytest.mark.parametrize("gone", [0, 2])
def test_a_line_removed_is_found(trail_file, gone):
    rewrite(trail_file, lambda all_lines: all_lines[:gone] + all_lines[gone + 1 :])
    assert findings() == [(Kind.LINE_MISSING, gone + 1, gone + 1)]


def test_a_line_replaced_is_found(trail_file):
    rewrite(
        trail_file,
        lambda all_lines: [
            line.replace(str(ALICE).encode(), str(BOB).encode()) for line in all_lines
        ],
    )
    assert findings() == [(Kind.LINE_EDITED, number, number) for number in (1, 2, 3, 4, 5)]


def test_a_line_of_another_number_in_its_place_is_found(trail_file):
    rewrite(trail_file, lambda all_lines: [*all_lines[:2], all_lines[3], *all_lines[3:]])
    assert findings() == [(Kind.LINE_MISSING, 3, 3)]


@pytest.mark.parametrize(
    "foreign",
    [
        b"not ours\n",
        b"\n",
        b"{}\n",
        b'{"leaf":"{}","key":"k","tag":""}\n',
        b'{"key":"k","leaf":"{}","tag":"00"}\n',
        b'{"chain":"00","key":"k","leaf":"{}","previous":"00","sequence":"5"}\n',
        b'{"chain":"00","key":"k","leaf":"{}","previous":"00","sequence":99}\n',
        b'{"chain":1,"key":"k","leaf":2,"previous":3,"sequence":4}\n',
        b"\xff\xfe\n",
        b"[" * 2000 + b"\n",
    ],
)
def test_a_foreign_line_is_found(trail_file, foreign):
    rewrite(trail_file, lambda all_lines: [*all_lines, foreign])
    assert findings() == [(Kind.LINE_FOREIGN, 6, 6)]


def test_a_line_tagged_under_another_key_is_foreign(trail_file, settings):
    leaf = bytes(entries()[0].leaf)
    key_id, _ = settings.SERVER_KEYS.audit.newest
    forged = Line(leaf, key_id, chain.tag_line(chain.hash_leaf(leaf), b"guess" * 8))
    rewrite(trail_file, lambda all_lines: [*all_lines, forged.encode()])
    assert findings() == [(Kind.LINE_FOREIGN, 6, 6)]


def test_a_line_written_without_the_table_waits(lock_table, trail_file):
    other = lock_table()
    open_images(1)
    other.release()
    assert findings() == [(Kind.LINE_WAITING, 6, 6)]


def test_the_order_of_lines_says_nothing_and_twice_is_as_once(trail_file):
    rewrite(trail_file, lambda all_lines: [*reversed(all_lines), all_lines[2]])
    assert findings() == []


def test_half_a_line_claims_nothing_and_what_it_lacks_is_missing(trail_file):
    trail_file.write_bytes(trail_file.read_bytes()[:-20])
    open_images(1)
    assert findings() == [(Kind.LINE_MISSING, 5, 5)]


@pytest.mark.parametrize("name", ["audit.jsonl.1", "audit.jsonl-20261123", "audit.jsonl.2.gz"])
def test_rotated_files_are_read_too(trail_file, name):
    rotated = trail_file.with_name(name)
    content = trail_file.read_bytes()
    rotated.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    trail_file.unlink()
    open_images(1)
    assert findings() == []


# ---- both ------------------------------------------------------------------------------------


def test_one_entry_changed_in_table_and_file_alike_is_found(trail_file):
    leaf = forged_leaf()
    tamper("UPDATE audit_auditentry SET leaf = %s WHERE sequence = 3", leaf)
    rewrite(trail_file, lambda all_lines: replace_leaf(all_lines, 2, leaf))
    assert findings() == [(Kind.EDITED, 3, 3)]


def replace_leaf(all_lines, index, leaf) -> list[bytes]:
    body = {**json.loads(all_lines[index]), "leaf": leaf.decode()}
    line = json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return [*all_lines[:index], line, *all_lines[index + 1 :]]


def test_from_a_number_on_everything_before_is_trusted(trail_file):
    tamper("DELETE FROM audit_auditentry WHERE sequence < 2")
    tamper("UPDATE audit_auditentry SET leaf = %s WHERE sequence = 2", forged_leaf())
    rewrite(trail_file, lambda all_lines: replace_leaf(all_lines[1:], 1, forged_leaf()))
    assert findings(start=4) == []
    tamper("UPDATE audit_auditentry SET leaf = %s WHERE sequence = 4", forged_leaf())
    assert findings(start=4) == [(Kind.EDITED, 4, 4)]


def test_verifying_reads_in_pieces(monkeypatch, trail_file):
    from audit import verification

    monkeypatch.setattr(verification, "PIECE", 2)
    assert findings() == []
    tamper("UPDATE audit_auditentry SET leaf = %s", forged_leaf())
    assert findings() == [(Kind.EDITED, number, number) for number in (1, 2, 3, 4, 5)]


def test_verifying_holds_no_lock(lock_table):
    found = verify()
    tamper("UPDATE audit_auditentry SET event = 'x' WHERE sequence = 1")
    next(found)
    lock_table().release()


def test_a_number_set_names_the_ranges_that_are_missing():
    numbers = NumberSet(3, 20)
    for number in (1, 3, 4, 7, 20, 21):
        numbers.add(number)
    assert list(numbers.missing()) == [(5, 6), (8, 19)]
    assert list(NumberSet(1, 0).missing()) == []
