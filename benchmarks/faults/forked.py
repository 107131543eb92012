"""kill -9 of a process that does one act, again and again, each time from the same beginning.

Quicker than a server of its own for each try: the process is forked from one that has everything
imported. What it left is looked at by another one, and put back.
"""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from tests import environment

FILES = ("imageshare.sqlite3", "imageshare.sqlite3-wal", "audit.sqlite3", "audit.sqlite3-wal",
         "audit.jsonl")  # fmt: skip
Act = Callable[[], None]
Look = Callable[[], list[str]]
fork = multiprocessing.get_context("fork")


def kill_each(
    acts: dict[str, tuple[Act, Look]], checks: Iterable[str], before: Path, kills: int
) -> int:
    """Kill each act so many times, and print a table; return how often something was wrong."""
    print("| what | tried | bad |\n|---|---|---|", flush=True)
    chance, bad = random.Random(11), 0
    for name, (act, look) in acts.items():
        bad += tell(name, kill_again_and_again(act, look, before, chance, kills), checks)
    return bad


def tell(name: str, found: Counter[str], checks: Iterable[str]) -> int:
    kills = found.pop("kills")
    for what in checks:
        print(f"| {name}: {what} | {kills} | {found[what]} |", flush=True)
    print(f"| {name}: could not be looked at | {kills} | {found['error']} |", flush=True)
    return found.total()


def kill_again_and_again(
    act: Act, look: Look, before: Path, chance: random.Random, kills: int
) -> Counter:
    seconds, found = how_long(act, before), Counter()
    while found["kills"] < kills:
        put_back(before)
        process = fork.Process(target=quietly, args=[act])
        process.start()
        time.sleep(chance.uniform(0, seconds))
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGKILL)
            found["kills"] += 1
            process.join()
            found.update(in_a_process(look))
        process.join()
    return found


def how_long(act: Act, before: Path) -> float:
    put_back(before)
    begun = time.monotonic()
    process = fork.Process(target=act)
    process.start()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begun


def quietly(act: Act) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    act()


def in_a_process(question: Callable[[], list[str]]) -> list[str]:
    """Return the answer of a process of its own: no connection or lock outlives a try."""
    receiver, sender = fork.Pipe(duplex=False)

    def answer() -> None:
        try:
            sender.send(question())
        except BaseException as error:
            print(f"({type(error).__name__}: {error})", flush=True)
            sender.send(["error"])

    process = fork.Process(target=answer)
    process.start()
    said = receiver.recv()
    process.join()
    return said


def keep(before: Path) -> None:
    """Keep the databases, the trail's file and the stored bytes."""
    before.mkdir()
    for name in FILES:
        if (environment.DATA_DIR / name).exists():
            shutil.copy(environment.DATA_DIR / name, before / name)
    shutil.copytree(environment.DATA_DIR / "images", before / "images")


def put_back(before: Path) -> None:
    for path in environment.DATA_DIR.glob("*.sqlite3*"):
        path.unlink()
    shutil.rmtree(environment.DATA_DIR / "images")
    shutil.copytree(before, environment.DATA_DIR, dirs_exist_ok=True)


def begin(first_pair: int) -> None:
    """Take the fixed test keys from `first_pair` on: making one would take most of the time."""
    from cryptocore import keypair
    from tests.keys import load_pair

    numbers = count(first_pair)
    keypair.generate = lambda: load_pair(next(numbers))
