"""Columns of bytes that are read as bytes, whichever database keeps them."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

if TYPE_CHECKING:
    from django.db.models import BinaryField
else:

    class BinaryField(models.BinaryField):
        def __class_getitem__(cls, types: Any) -> type["BinaryField"]:
            """Django lets nobody subscribe its fields; the type checker must."""
            return cls


Written = TypeVar("Written")
Read = TypeVar("Read")


class RawBytesField(BinaryField[Written, Read]):
    """Bytes as bytes.

    PostgreSQL answers with a memoryview. SQLite keeps whatever type was written: what is not bytes
    is read as none, so that one altered cell cannot stop the verification that is to find it.
    """

    # From these django-stubs learns what a column takes and gives; None too, where it may be null.
    _pyi_private_set_type: bytes
    _pyi_private_get_type: bytes

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        if value is None and self.null:
            return None
        return bytes(value) if isinstance(value, bytes | memoryview) else b""
