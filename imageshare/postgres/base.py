"""A database backend: Django's for PostgreSQL, which lets no stored time stop a page.

Types hold here, but a time may be `infinity`, or before our era: its driver raises where it reads
one, and with it the whole query. See imageshare/sqlite/base.py.
"""

from datetime import datetime
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg import DataError

from audit.unreadable import NO_TIME, readable_time


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)

        class Times(BaseTzLoader):
            timezone = self.timezone

            def load(self, data: Any) -> datetime:
                try:
                    return readable_time(super().load(data))
                except DataError:
                    return NO_TIME

        connection.adapters.register_loader("timestamptz", Times)
        return connection
