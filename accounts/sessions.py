"""Sessions in the database, asked only for keys that could be one."""

import re

from django.contrib.sessions.backends import db

KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """Whether this could be one of our keys: what a cookie names is anything.

        A quoted cookie may hold an escaped NUL, and PostgreSQL refuses to be asked for one: an
        error, where there is only somebody without a session.
        """
        return bool(key and KEY.fullmatch(key))
