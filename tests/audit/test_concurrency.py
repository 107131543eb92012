"""Many at once: one chain, no gaps, one line each."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from audit import table
from audit.file import Line
from tests.audit.conftest import entries, findings, lines, open_images

THREADS, EACH = 8, 25


def record_and_hang_up() -> None:
    try:
        open_images(EACH)
    finally:
        connections.close_all()


def record_from_many_threads() -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(record_and_hang_up) for _ in range(THREADS)]:
            done.result()


def assert_one_chain_without_gaps(trail_file) -> None:
    numbers = list(range(1, THREADS * EACH + 1))
    assert [entry.sequence for entry in entries()] == numbers
    assert sorted(Line.parse(line).sequence for line in lines(trail_file)) == numbers
    assert findings() == []


def test_eight_threads_make_one_chain_without_gaps(trail_file):
    record_from_many_threads()
    assert_one_chain_without_gaps(trail_file)


def test_without_turns_the_tables_lock_alone_keeps_the_chain_whole(trail_file, monkeypatch):
    """As between processes, which share no turns."""
    monkeypatch.setattr(table, "TURN_SECONDS", 0)
    with table._turn:
        record_from_many_threads()
    assert_one_chain_without_gaps(trail_file)
