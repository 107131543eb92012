"""Pages of lists. What a person reads is counted no further than that takes: of a hundred thousand
rows, each joined with its image, counting would be most of the work of a page."""

from contextlib import suppress
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.formats import number_format

COUNTED = 1000  # rows; further only as far as the page after the one that is asked for
HIGHEST_PAGE = 10**6


class Pages(Paginator):  # type: ignore[type-arg]  # takes none when it runs
    """A list in pages. `in_full`: all of its rows are counted, as scripts are told."""

    def __init__(
        self, rows: QuerySet[Any], per_page: int, *, number: str | None, in_full: bool
    ) -> None:
        super().__init__(rows, per_page)
        self._rows = rows
        self.most = None if in_full else max(COUNTED, (_asked(number) + 1) * per_page)

    @cached_property
    def count(self) -> int:
        rows = self._rows if self.most is None else self._rows[: self.most + 1]
        return rows.count()

    @property
    def has_uncounted(self) -> bool:
        return self.most is not None and self.count > self.most

    @property
    def count_shown(self) -> str:
        """How many rows there are, in the words of a page: 12, or 1,000+."""
        if not self.has_uncounted:
            return number_format(self.count)
        return f"{number_format(COUNTED, force_grouping=True)}+"


def page_of(
    rows: QuerySet[Any], per_page: int, number: str | None, *, in_full: bool = False
) -> Page[Any]:
    """Return the page of this number, the first for none; the last one for one too high."""
    return Pages(rows, per_page, number=number, in_full=in_full).get_page(number)


def _asked(number: str | None) -> int:
    with suppress(ValueError):
        return min(int(number or 1), HIGHEST_PAGE)
    return 1
