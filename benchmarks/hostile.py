"""`make hostile`: thousands of damaged pictures through real decoders, and takeovers of these.

A picture that ends its decoder is unreadable, and that is right. Bad is whatever else it ends or
changes: the starter, this process, another's picture. Prints a table of tried and bad, and exits
with 1 if anything was bad. `python -m benchmarks.hostile 500` tries so many.
"""

import logging
import random
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

from benchmarks.faults.table import Table
from tests import environment  # noqa: F401  (before settings are read)

PICTURES, TAKEOVERS_EACH, AT_ONCE, GOOD_EVERY = 6_000, 10, 2, 20
OTHER = "something else"


def main() -> None:
    from gallery.decoding.asking import DECODERS, Decoders
    from tests.gallery.decoding.hostile_starter import AFTER_ITS_TURN, ATTEMPTS
    from tests.gallery.decoding.worker import HOSTILE
    from tests.gallery.test_intake_changed_bytes import SAMPLES, changed

    count = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    table = Table()
    files = (
        changed(SAMPLES[name], random.Random(number))
        for number, name in enumerate(islice(cycle(sorted(SAMPLES)), count))
    )
    Trial(DECODERS, table).put(files, "changed pictures")
    acts = [act for act in (*ATTEMPTS, *AFTER_ITS_TURN) if act not in (b"hang", b"wait")]
    Trial(Decoders(HOSTILE), table).put(acts * TAKEOVERS_EACH, "decoders taken over")
    sys.exit(1 if table.bad else 0)


class Trial:
    """Files put to decoders, a good one among every few, and what comes of each."""

    def __init__(self, decoders, table: Table) -> None:
        self.decoders, self.table = decoders, table
        self.good: list[bool] = []
        self.ended = Ended()

    def put(self, files, what: str) -> None:
        self.decoders.start()
        starter, before, begun = self.decoders.process_id, peak_mb(), time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            met = Counter(threads.map(self.outcome, enumerate(files)))
        seconds = time.monotonic() - begun
        told = ", ".join(f"{count} × {outcome}" for outcome, count in met.most_common())
        self.table.row(f"{what} ({told})", met.total(), met[OTHER])
        self.table.row("good ones among them, answered otherwise", *self.count_good())
        self.table.row("starters that ended", 1, int(self.decoders.process_id != starter))
        self.table.note(
            f"{self.ended.count} decoders ended without an answer; {seconds:.0f} s; "
            f"this process's peak: {before} MB before, {peak_mb()} MB after"
        )

    def outcome(self, numbered: tuple[int, bytes]) -> str:
        from gallery import containers
        from gallery.pictures import PictureRejected

        number, data = numbered
        if number % GOOD_EVERY == 0:
            self.put_good()
        try:
            picture = self.taken(data)
        except PictureRejected as rejection:
            return rejection.code
        is_whole = containers.clean(picture.original).format == picture.format
        return "taken" if is_whole else OTHER

    def taken(self, data: bytes):
        from tests.gallery.picture_files import LIMITS

        return self.decoders.take(data, keep_details=False, limits=LIMITS).picture(b"".join)

    def put_good(self) -> None:
        from gallery.intake import take_in
        from tests.gallery.picture_files import LIMITS, plain

        data = plain("JPEG")
        self.good.append(self.taken(data) == take_in(data, keep_details=False, limits=LIMITS))

    def count_good(self) -> tuple[int, int]:
        return len(self.good), self.good.count(False)


class Ended(logging.Handler):
    """Counts decoders that ended without an answer."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        logger = logging.getLogger("gallery.decoding.asking")
        logger.handlers = [self]
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
