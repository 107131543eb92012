"""No way that Django offers changes or removes an entry."""

import pytest

from audit.models import AppendOnly, AuditEntry, AuditHead
from tests.audit.conftest import entries, findings

WAYS = {
    "save": lambda entry: entry.save(),
    "save fields": lambda entry: entry.save(update_fields=["event"]),
    "delete": lambda entry: entry.delete(),
    "update all": lambda entry: AuditEntry.objects.update(event="x"),
    "update one": lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(event="x"),
    "delete all": lambda entry: AuditEntry.objects.all().delete(),
    "delete one": lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
    "bulk update": lambda entry: AuditEntry.objects.bulk_update([entry], ["event"]),
    "bulk create": lambda entry: AuditEntry.objects.bulk_create([entry], update_conflicts=True),
    "update or create": lambda entry: AuditEntry.objects.update_or_create(
        pk=entry.pk, defaults={"event": "x"}
    ),
    "base manager": lambda entry: AuditEntry._base_manager.update(event="x"),
    "default manager": lambda entry: AuditEntry._default_manager.all().delete(),
    "raw delete": lambda entry: AuditEntry.objects.all()._raw_delete("audit"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_an_entry_can_be_neither_changed_nor_removed(five_entries, way):
    entry = entries()[2]
    entry.event = "x"
    with pytest.raises(AppendOnly):
        way(entry)
    assert len(entries()) == 5
    assert findings() == []


def test_a_new_object_with_an_old_number_does_not_replace_the_row(five_entries):
    from django.db import IntegrityError

    old = entries()[2]
    copy = AuditEntry(
        sequence=3, leaf=b"{}", leaf_hash=b"", previous=b"p", chain=b"c", time=old.time
    )
    with pytest.raises(IntegrityError):
        copy.save()
    assert findings() == []


def test_two_entries_after_one_predecessor_are_refused_by_the_table_itself(five_entries):
    from django.db import IntegrityError

    old = entries()[2]
    fork = AuditEntry(
        sequence=6, leaf=b"{}", leaf_hash=b"", previous=old.previous, chain=b"c", time=old.time
    )
    with pytest.raises(IntegrityError):
        fork.save()


def test_there_is_one_head(five_entries):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError):
        AuditHead.objects.create(id=2, sequence=0, chain=bytes(32))
