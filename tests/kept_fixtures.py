"""What fixtures return, kept with the worlds they led to (tests/worlds.py).

A fixture is plain if nothing goes into it but its parameter and what plain fixtures returned. Where
the same steps led to it lately it is not run: what it returned comes back, and the people, rows
and browsers that fixtures before it returned are again as it left them. What asks for `settings`,
`monkeypatch` or `tmp_path`, what has to end again and what pickle cannot keep is run.
"""

import io
import pickle
from collections.abc import Callable
from typing import Any

from django.core import mail
from django.http.response import HttpResponseBase
from django.test import Client

from accounts.custody import Keyring

SIMPLE = (str, bytes, int, float, type(None))
UNKEPT = (pickle.PicklingError, TypeError, AttributeError)  # what pickle raises


class Plain:
    """What the plain fixtures of one test returned, and what each of them did to make it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.keys: dict[str, str] = {}

    def key_of(self, function: Callable[..., Any], given: dict[str, Any]) -> str | None:
        """Return what tells a plain fixture from every other one, or None for another one."""
        if "getfixturevalue" in function.__code__.co_names:
            return None
        keys = [self._key_of_argument(name, value) for name, value in given.items()]
        return None if None in keys else f"{function.__module__}.{function.__qualname__}{keys}"

    def _key_of_argument(self, name: str, value: Any) -> str | None:
        if name == "request":
            name, value = "param", getattr(value, "param", value)
        if isinstance(value, SIMPLE) or (
            isinstance(value, tuple) and all(isinstance(one, SIMPLE) for one in value)
        ):
            return repr(value)
        return self.keys[name] if self.values.get(name, self) is value else None

    def add(self, name: str, value: Any, key: str) -> None:
        self.values[name], self.keys[name] = value, key

    # ---- what is kept --------------------------------------------------------------------

    def kept(self, result: Any) -> bytes | None:
        """Return `result` and everything else as it is now, if it can be kept."""
        names = {id(value): name for name, value in self._objects().items()}
        states = {name: _state(value) for name, value in self._objects().items()}
        states = {name: state for name, state in states.items() if state is not None}
        file = io.BytesIO()
        try:
            _Keeping(file, names).dump((result, states, mail.outbox))
        except UNKEPT:
            return None
        return file.getvalue()

    def put_back(self, kept: bytes) -> Any:
        """Return that result."""
        objects = self._objects()
        result, states, mail.outbox[:] = _PuttingBack(io.BytesIO(kept), objects).load()
        for name, state in states.items():
            _put_back(objects[name], state)
        return result

    def _objects(self) -> dict[str, Any]:
        """Return what may be asked for again as the same object, by name."""
        found = {
            name: value for name, value in self.values.items() if not isinstance(value, SIMPLE)
        }
        browsers = {
            f"{name}.client": getattr(value, "client", None) for name, value in found.items()
        }
        return found | {name: one for name, one in browsers.items() if isinstance(one, Client)}


def _state(value: Any) -> Any:
    """Return what another fixture may have changed in it."""
    if isinstance(value, Client):
        return value.cookies
    if isinstance(value, (list, dict)):
        return type(value)(value)
    return vars(value) if hasattr(value, "__dict__") and not callable(value) else None


def _put_back(value: Any, state: Any) -> None:
    if isinstance(value, Client):
        value.cookies = state
    elif isinstance(value, list):
        value[:] = state
    elif state is not None:
        inside = value if isinstance(value, dict) else vars(value)
        inside.clear()
        inside.update(state)


class _Keeping(pickle.Pickler):
    def __init__(self, file: io.BytesIO, names: dict[int, str]) -> None:
        super().__init__(file)
        self.names = names

    def persistent_id(self, value: Any) -> str | None:
        if callable(value) and id(value) in self.names:
            raise pickle.PicklingError("another test may not have asked for it by then")
        return self.names.get(id(value))

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Keyring):
            return type(value), (value.user, value._master_key, value.version)
        if isinstance(value, Client):
            return _browser, (value.handler.enforce_csrf_checks, value.defaults, value.cookies)
        if isinstance(value, HttpResponseBase):
            raise pickle.PicklingError("it would come back without what the client added")
        return NotImplemented


class _PuttingBack(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, objects: dict[str, Any]) -> None:
        super().__init__(file)
        self.objects = objects

    def persistent_load(self, name: str) -> Any:
        return self.objects[name]


def _browser(enforce_csrf_checks: bool, defaults: dict[str, Any], cookies: Any) -> Client:
    browser = Client(enforce_csrf_checks=enforce_csrf_checks, **defaults)
    browser.cookies = cookies
    return browser
