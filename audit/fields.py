"""Columns of bytes that are read as bytes, whichever database keeps them."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Bytes = models.BinaryField[bytes, bytes]
else:
    Bytes = models.BinaryField


class RawBytesField(Bytes):
    """Bytes as bytes.

    PostgreSQL answers with a memoryview. SQLite keeps whatever type was written: what is not bytes
    is read as none, so that one altered cell cannot stop the verification that is to find it.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        if value is None and self.null:
            return None
        return bytes(value) if isinstance(value, bytes | memoryview) else b""
