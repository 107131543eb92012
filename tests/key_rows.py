"""No code of ours changes a key row but inside `changing_keys` (accounts/services/holding.py).

Watched in every test, by what is sent to the database: an act that forgets the one way fails the
test that walks through it, whatever else it does right.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.keys.keysets import KEY_ROWS
from accounts.services import holding

ROOT = Path(__file__).resolve().parents[1]
OURS = tuple(str(ROOT / app) for app in ("accounts", "gallery", "audit", "imageshare"))
# Whose keys are their first: there are none yet that the act could leave unsaid.
FIRST_KEYS = {"register", "make_keys_at_first_sign_in"}
TESTS = str(ROOT / "tests")
WRITES = ("INSERT", "UPDATE", "DELETE")
TABLES = tuple(f'"{model._meta.db_table}"' for model in KEY_ROWS)

_inside: ContextVar[int] = ContextVar("inside", default=0)


def watch_key_rows() -> None:
    """Watch every connection that is made from now on, and know when `changing_keys` is open."""
    real = holding.changing_keys

    @contextmanager
    def watched(*arguments: Any, **named: Any) -> Iterator[holding.Change]:
        with real(*arguments, **named) as change:
            token = _inside.set(_inside.get() + 1)
            try:
                yield change
            finally:
                _inside.reset(token)

    for name, module in list(sys.modules.items()):
        is_ours = name.startswith(("accounts.", "tests."))
        if is_ours and getattr(module, "changing_keys", None) is real:
            module.changing_keys = watched


def add_to(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _look not in connection.execute_wrappers:
        connection.execute_wrappers.append(_look)


def _look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if not _inside.get() and sql.startswith(WRITES) and any(name in sql for name in TABLES):
        acts = _acts_around(sys._getframe(1))
        if acts and not FIRST_KEYS & set(acts):
            raise AssertionError(
                f"key rows are changed outside `changing_keys`: {acts}, {sql[:80]}"
            )
    return execute(sql, params, many, context)


def _acts_around(frame: FrameType | None) -> list[str]:
    """Return our functions that led to a statement; none where a test sent it itself."""
    names: list[str] = []
    while frame:
        file = frame.f_code.co_filename
        if not names and file.startswith(TESTS) and file != __file__:
            return []
        if file.startswith(OURS):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names
