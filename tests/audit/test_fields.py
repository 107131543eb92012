"""Bytes are read as bytes, on every engine and whatever stands in the cell."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import BinaryField

from accounts.models import KeySlot
from audit.fields import RawBytesField
from tests.postgres import only_sqlite

COLUMNS = [
    field
    for app in ("accounts", "audit", "gallery")
    for model in apps.get_app_config(app).get_models()
    for field in model._meta.fields
    if isinstance(field, BinaryField)
]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_every_column_of_bytes_is_read_as_bytes(column):
    assert type(column) is RawBytesField


def test_bytes_are_bytes_and_nothing_is_nothing(alice):
    slot = KeySlot.objects.get(user=alice.user, kind=KeySlot.Kind.PASSWORD)
    assert type(slot.salt) is bytes
    assert len(slot.salt) == 16
    assert slot.wrapped_confirmation is None


@only_sqlite
@pytest.mark.parametrize("cell", ["text", 7])
def test_a_cell_of_another_type_is_read_as_no_bytes(alice, cell):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_keyslot SET salt = %s", [cell])
    assert KeySlot.objects.filter(user=alice.user).first().salt == b""
