"""The tables themselves refuse what our code never does, from anybody."""

import pytest
from django.db import IntegrityError, connection, connections

from audit.context import RequestContext, current_request
from audit.events import Event, record
from audit.models import PersonalFacts
from tests.audit.conftest import ALICE, entries, findings, open_images
from tests.postgres import only_sqlite
from tests.triggers import drop_triggers, install_triggers

ONLY_POSTGRES = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")

COLUMNS = "(sequence, leaf, leaf_hash, previous, chain, key_id, time, event, outcome)"
ROW = (
    f"INTO audit_auditentry {COLUMNS} SELECT {{}}, leaf, leaf_hash, {{}}, {{}}, key_id, time, "
    "event, 'x' FROM audit_auditentry WHERE sequence = 3"
)
NEW = "decode('00', 'hex')" if connection.vendor == "postgresql" else "x'00'"
FACTS = "INTO audit_personalfacts (entry_id, salt, address, agent)"

REFUSED = [
    # Entries: changed, removed, replaced.
    "UPDATE audit_auditentry SET event = 'x' WHERE sequence = 3",
    "UPDATE audit_auditentry SET event = 'x'",
    "UPDATE audit_auditentry SET event = event",
    "UPDATE audit_auditentry SET sequence = 99 WHERE sequence = 5",
    "DELETE FROM audit_auditentry WHERE sequence = 5",
    "DELETE FROM audit_auditentry",
    f"INSERT {ROW.format(3, NEW, NEW)} ON CONFLICT (sequence) DO UPDATE SET event = 'x'",
    pytest.param(f"INSERT OR REPLACE {ROW.format(3, NEW, NEW)}", marks=only_sqlite),
    pytest.param(f"INSERT OR REPLACE {ROW.format(9, 'previous', NEW)}", marks=only_sqlite),
    pytest.param(f"INSERT OR REPLACE {ROW.format(9, NEW, 'chain')}", marks=only_sqlite),
    pytest.param("TRUNCATE audit_auditentry", marks=ONLY_POSTGRES),
    # The head: moved back, ahead, sideways, removed, replaced.
    "UPDATE audit_audithead SET sequence = 3",
    "UPDATE audit_audithead SET sequence = 7",
    "UPDATE audit_audithead SET sequence = 3, "
    "chain = (SELECT chain FROM audit_auditentry WHERE sequence = 3)",
    "UPDATE audit_audithead SET chain = leaf_hash FROM audit_auditentry WHERE audit_auditentry"
    ".sequence = 5",
    "DELETE FROM audit_audithead",
    pytest.param(f"REPLACE INTO audit_audithead VALUES (1, 0, {NEW})", marks=only_sqlite),
    pytest.param("TRUNCATE audit_audithead", marks=ONLY_POSTGRES),
    # Personal facts: changed, replaced, all of them at once without being asked.
    "UPDATE audit_personalfacts SET agent = 'x'",
    pytest.param(f"REPLACE {FACTS} VALUES (6, {NEW}, '', '')", marks=only_sqlite),
    pytest.param("TRUNCATE audit_personalfacts", marks=ONLY_POSTGRES),
]


@pytest.fixture(autouse=True)
def six_entries(five_entries):
    """The last with personal facts."""
    token = current_request.set(RequestContext("ab" * 16, "192.0.2.0/24", "Firefox"))
    record(Event.ACCOUNT_SIGNED_IN, actor=ALICE)
    current_request.reset(token)


def execute(statement: str) -> None:
    with connections["audit"].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_table_refuses(statement):
    with pytest.raises(IntegrityError, match="only ever added to"):
        execute(statement)
    assert len(entries()) == 6
    assert findings() == []


@pytest.mark.parametrize("statement", REFUSED)
def test_without_the_triggers_each_of_these_would_be_done(statement):
    drop_triggers()
    execute(statement)
    install_triggers()


def test_personal_facts_can_be_erased_and_the_trail_still_verifies():
    assert PersonalFacts.objects.count() == 1
    PersonalFacts.objects.filter(entry__actor=ALICE).delete()
    assert not PersonalFacts.objects.exists()
    open_images(1)
    assert findings() == []
