"""`make bench`: pages of lists with 100, 10,000 and 100,000 rows behind them, and their queries.

In one process, through Django and all its middleware. Processor time, the least of several: what
else a machine does would hide what grows. benchmarks/many_rows.py says what the rows are.

With `BENCH_POSTGRES=postgres://user@host:port` in a database of its own on that server; what the
server does is then no time of this process, so these are times by the clock.
"""

import os
import time
from dataclasses import dataclass, field

from benchmarks.throwaway import data_folder, database, prepare, say_how_busy

SIZES, ROUNDS, AIM = (100, 10_000, 100_000), 9, 1.3
CLOCK = time.perf_counter if os.environ.get("BENCH_POSTGRES") else time.process_time
IMAGES_A_PAGE, ROWS_A_STAFF_PAGE = 60, 100


@dataclass
class Page:
    """One list, first or last page of it, and what was measured at each size."""

    what: str
    whose: str
    address: str
    per_page: int = 0
    first_page_is: int = 1
    missed_because: str = ""
    ms: list[float] = field(default_factory=list)
    queries: set[tuple[int, int]] = field(default_factory=set)

    def address_at(self, size: int) -> str:
        last = -(-size // self.per_page) - 1 + self.first_page_is if self.per_page else None
        return self.address if last is None else self.address.format(last)

    @property
    def ratio(self) -> float:
        return self.ms[-1] / self.ms[0]


SKIPPED = "all rows before it are skipped, in an index"
COUNTED = "all that was ever shared with a person is counted, in an index"
PAGES = [
    Page("shared with me", "reader", "/images/"),
    Page("… last page", "reader", "/images/?page={}", IMAGES_A_PAGE, missed_because=SKIPPED),
    Page("mine", "owner", "/images/mine/"),
    Page("… last page", "owner", "/images/mine/?page={}", IMAGES_A_PAGE, missed_because=SKIPPED),
    Page("notices", "reader", "/activity/", missed_because=COUNTED),
    Page(
        "… last page, by its link",
        "reader",
        "/activity/?page={}&before=41",
        IMAGES_A_PAGE,
        missed_because=COUNTED,
    ),
    Page(
        "… last page, by its number",
        "reader",
        "/activity/?page={}",
        IMAGES_A_PAGE,
        missed_because=f"{COUNTED}; {SKIPPED}, twice",
    ),
    Page("staff: images", "staff", "/admin/gallery/sealedimage/"),
    Page("… last page", "staff", "/admin/gallery/sealedimage/?p={}", ROWS_A_STAFF_PAGE),
    Page("staff: notices", "staff", "/admin/gallery/notice/"),
]


def main() -> None:
    say_how_busy()
    with data_folder() as data_dir, database() as url:
        prepare(data_dir, url)
        measure()
        close_all()
    sizes = " | ".join(f"{size:,} rows, ms" for size in SIZES)
    print(f"| page | {sizes} | ratio | aim | queries |")
    print("|---" * (len(SIZES) + 4) + "|")
    for page in PAGES:
        times = " | ".join(f"{ms:.0f}" for ms in page.ms)
        asked = ", ".join(f"{business} + {trail} of the trail" for business, trail in page.queries)
        print(f"| {page.what} | {times} | {page.ratio:.2f} | {AIM} | {asked} |")
    for page in PAGES:
        if page.ratio > AIM and page.missed_because:
            print(f"({page.address_at(SIZES[-1])}: {page.missed_because})")


def close_all() -> None:
    from django.db import connections

    connections.close_all()


def measure() -> None:
    from accounts.models import User
    from benchmarks import many_rows

    clients = {name: many_rows.browser(name) for name in (many_rows.OWNER, many_rows.READER)}
    User.objects.create_superuser("staff", many_rows.PASSWORD)
    clients["staff"] = many_rows.signed_in("staff")
    many_rows.share_genuine(clients["owner"])
    for size in SIZES:
        begun = time.perf_counter()
        many_rows.grow_to(size)
        print(f"({size:,} rows after {time.perf_counter() - begun:.0f} s)", flush=True)
        for page in PAGES:
            look_at(page, clients[page.whose], size)


def look_at(page: Page, client: object, size: int) -> None:
    address = page.address_at(size)
    require_genuine(client, address)
    page.queries.add(queries_of(client, address))
    seconds = []
    for _ in range(ROUNDS):
        begun = CLOCK()
        client.get(address)
        seconds.append(CLOCK() - begun)
    page.ms.append(min(seconds) * 1000)


def require_genuine(client: object, address: str) -> None:
    """Refuse to measure a page whose images or notices do not verify."""
    answer = client.get(address, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.content
    if "admin" not in address:
        rows = answer.json().get("images") or answer.json()["notices"]
        assert {row["state"] for row in rows} <= {"verified", "genuine"}, address


def queries_of(client: object, address: str) -> tuple[int, int]:
    client.get(address)  # once a minute a request moves the time on at which the person is locked
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    with (
        CaptureQueriesContext(connections["default"]) as business,
        CaptureQueriesContext(connections["audit"]) as trail,
    ):
        client.get(address)
    return len(business), len(trail)


if __name__ == "__main__":
    main()
