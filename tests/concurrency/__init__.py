"""Many at once: real threads, real transactions, one connection per thread and database."""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

Thing = TypeVar("Thing")
Result = TypeVar("Result")

JSON = {"accept": "application/json"}
# `python -m benchmarks.faults races` lets each act race a hundred times. Each ten times begin in a
# new world: an act asks for all that has happened to what it is about.
RACES, IN_A_WORLD = int(os.environ.get("RACES", "1")), 10
rounds_of_races = pytest.mark.parametrize(
    "rounds", [range(one, min(one + IN_A_WORLD, RACES)) for one in range(0, RACES, IN_A_WORLD)]
)


def at_once(act: Callable[[Thing], Result], things: Iterable[Thing]) -> list[Result]:
    """Return what `act` makes of each thing, all begun at one moment, in threads of their own.

    As many as a server has threads are served at a time; the others wait for one, as they do there.
    """
    connections.close_all()  # this thread only waits, and has no need of one
    begin = threading.Event()

    def begun(thing: Thing) -> Result:
        begin.wait()
        try:
            return act(thing)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(settings.THREADS) as pool:
        waiting = [pool.submit(begun, thing) for thing in things]
        begin.set()
        return [one.result() for one in waiting]


def same_browser(client: Client) -> Client:
    """Another tab: the cookies of `client`, to be used in another thread. Errors are pages."""
    tab = Client(raise_request_exception=False)
    tab.cookies.load(client.cookies.output(header="", sep=";"))
    return tab
