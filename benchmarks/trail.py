"""`make bench`: entries of the audit trail per second: each chained, in table and file, on disk."""

import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from benchmarks.throwaway import data_folder, prepare, say_how_busy

ENTRIES, THREADS = 400, 8


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir:
        prepare(data_dir)
        print("| threads that record | entries per second | entries on disk that verify |")
        print("|---|---|---|")
        for threads in (1, THREADS):
            measure(threads)


def measure(threads: int) -> None:
    from audit.models import AuditEntry

    before = AuditEntry.objects.count()
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: record_one(), range(ENTRIES)))
    seconds = time.perf_counter() - begun
    made = list(AuditEntry.objects.filter(sequence__gt=before))
    verified = sum(entry.is_authentic() for entry in made)
    print(f"| {threads} | {len(made) / seconds:.0f} | {verified} of {len(made)} |", flush=True)
    if verified != len(made):
        sys.exit("The trail does not verify.")


def record_one() -> None:
    from audit.events import Event, record

    record(Event.IMAGE_OPENED, actor=uuid.uuid4(), subject=uuid.uuid4())


if __name__ == "__main__":
    main()
