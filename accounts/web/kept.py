"""What is found out once for a request, and kept on it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from django.http import HttpRequest

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """A value of this type that a request may carry, as the attribute `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def of(self, request: HttpRequest, find: Callable[[HttpRequest], Value]) -> Value:
        """Return what is kept on `request`; found first, where nothing is."""
        if not hasattr(request, self._name):
            self.keep(request, find(request))
        value: Value = getattr(request, self._name)
        return value

    def keep(self, request: HttpRequest, value: Value) -> None:
        setattr(request, self._name, value)

    def if_found(self, request: HttpRequest) -> Value | None:
        """Return what is kept already; finds nothing."""
        value: Value | None = getattr(request, self._name, None)
        return value
