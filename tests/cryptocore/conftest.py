"""Counts test vectors, so that the end of a run says how many there were and which did not run."""

from collections import Counter
from dataclasses import dataclass, field

import pytest


@dataclass
class Tally:
    """One set of vectors: how many were tried, and how many were not, by reason."""

    name: str
    ran: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        left_out = "; ".join(f"{count} skipped: {why}" for why, count in self.skipped.items())
        return f"{self.name}: {self.ran} ran" + (f"; {left_out}" if left_out else "")


TALLIES: list[Tally] = []


@pytest.fixture
def tally(request) -> Tally:
    """A line of its own in the summary; the set's name is the test's `tally` parameter."""
    TALLIES.append(Tally(request.param))
    return TALLIES[-1]


def pytest_terminal_summary(terminalreporter) -> None:
    if TALLIES:
        terminalreporter.section("test vectors")
    for tally in TALLIES:
        terminalreporter.write_line(tally.line())
