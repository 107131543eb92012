"""The trail lives in a database of its own.

So a transaction rolled back in the business database cannot take a refusal's record with it.
"""

from typing import Any

APP = ALIAS = "audit"


class AuditRouter:
    """Sends this app's tables, and nothing else, to the database `audit`."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == APP else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == APP else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == ALIAS) == (app_label == APP)
