"""How commands that verify print what they found."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol

SHOWN_OF_A_KIND = 20


class Finding(Protocol):
    @property
    def kind(self) -> StrEnum: ...


def tell(findings: Iterable[Finding], write: Callable[[str], object]) -> int:
    """Write a line for each finding, of one kind at most 20; return how many there were."""
    told: Counter[str] = Counter()
    for finding in findings:
        told[finding.kind] += 1
        if told[finding.kind] <= SHOWN_OF_A_KIND:
            write(str(finding))
        elif told[finding.kind] == SHOWN_OF_A_KIND + 1:
            write(f"{finding.kind}: and more")
    return told.total()
