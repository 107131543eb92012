"""Many at once: one chain, no gaps, one line each."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from audit.file import Line
from tests.audit.conftest import entries, findings, lines, open_images

THREADS, EACH = 8, 25


def record_and_hang_up() -> None:
    try:
        open_images(EACH)
    finally:
        connections.close_all()


def test_eight_threads_make_one_chain_without_gaps(trail_file):
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(record_and_hang_up) for _ in range(THREADS)]:
            done.result()
    numbers = list(range(1, THREADS * EACH + 1))
    assert [entry.sequence for entry in entries()] == numbers
    assert sorted(Line.parse(line).sequence for line in lines(trail_file)) == numbers
    assert findings() == []
