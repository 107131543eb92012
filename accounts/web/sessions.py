"""Sessions in the database, whose rows are worth nothing to somebody who reads or writes them.

A row is found by the SHA-256 of the key in the cookie (165 random bits, so no key is needed), and
its data is signed only for that row: in another row it is no session.
"""

import hashlib
import re
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

KEY = re.compile(r"[a-z0-9]{32}")
COLUMN_CHARACTERS = 40  # 160 bits, what Django's column holds


def row_key(session_key: str | None) -> str:
    """Return what the row of the session with this key is called."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:COLUMN_CHARACTERS]


class SessionStore(db.SessionStore):
    """Everything that names a row is overridden here; of its asynchronous twins none is used."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Whether this could be one of our keys: what a cookie names is anything.

        A quoted cookie may hold an escaped NUL, and PostgreSQL refuses to be asked for one: an
        error, where there is only somebody without a session.
        """
        return bool(key and KEY.fullmatch(key))

    @property
    def key_salt(self) -> str:
        return f"accounts.web.sessions {row_key(self.session_key)}"

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        own = self.model.objects.filter(pk=row_key(self.session_key))
        # Its end is compared where it lies: of an altered one Django can read no time.
        row = own.filter(expire_date__gt=timezone.now()).only("session_data").first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(row_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = row_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        if session_key := session_key or self.session_key:
            super().delete(row_key(session_key))
