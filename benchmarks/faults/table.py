"""What was tried, how often it went wrong, and what counts as wrong."""

import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.http_client import Answer
from tests.e2e.server import Server


class Table:
    """Rows of tried and bad, printed as they come."""

    def __init__(self) -> None:
        self.bad = 0
        print("| what | tried | bad |\n|---|---|---|", flush=True)

    def row(self, what: str, tried: int, bad: int) -> None:
        self.bad += bad
        print(f"| {what} | {tried} | {bad} |", flush=True)

    def note(self, said: str) -> None:
        print(f"({said})", flush=True)

    def answers(self, what: str, answers: Iterable[Answer], *wanted: int) -> None:
        """Count answers: bad is any other status, and a 503 that does not say when to come back.

        Nothing passes by being merely harmless: a 201 where there is no room is bad, too.
        """
        met = Counter(kind_of(answer) for answer in answers)
        told = ", ".join(f"{count} × {kind}" for kind, count in sorted(met.items()))
        self.row(f"{what} ({told})", met.total(), met.total() - sum(met[str(n)] for n in wanted))

    def tracebacks(self, server: Server, what: str) -> None:
        """Count errors that nobody caught, in everything this server's starts have printed."""
        self.row(f"tracebacks in the log, {what}", 1, server.log.read_text().count("Traceback"))


def kind_of(answer: Answer) -> str:
    if answer.status == 503 and "Retry-After" not in answer.headers:
        return "503 without Retry-After"
    return str(answer.status)


def file_system_of(folder: Path) -> str:
    return subprocess.check_output(["stat", "-f", "-c", "%T", folder], text=True).strip()
