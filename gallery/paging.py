"""Pages of lists. What a person reads is counted no further than that takes: of a hundred thousand
rows, counting would be most of the work of a page. A page late in a list skips once to where it
begins; a list whose order is a number can begin there by itself (`begins_here`)."""

from contextlib import suppress
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.formats import number_format

COUNTED = 1000  # rows
HIGHEST_PAGE = 10**6


class Pages(Paginator):  # type: ignore[type-arg]  # takes none when it runs
    """A list in pages. `in_full`: all of its rows are counted, as scripts are told. `begins_here`:
    the rows are those from the page on that is asked for."""

    def __init__(
        self,
        rows: QuerySet[Any],
        per_page: int,
        *,
        number: str | None,
        in_full: bool = False,
        begins_here: bool = False,
    ) -> None:
        super().__init__(rows, per_page)
        self._rows, self._in_full, self._asked = rows, in_full, _asked(number)
        self._before = (self._asked - 1) * per_page  # rows on the pages before
        self._skipped = 0 if begins_here else self._before

    @cached_property
    def _found(self) -> list[Any]:
        """The rows of the page that is asked for, and one more if there is one."""
        return list(self._rows[self._skipped : self._skipped + self.per_page + 1])

    @property
    def _goes_on(self) -> bool:
        return len(self._found) > self.per_page

    @cached_property
    def count(self) -> int:
        if self._in_full:
            return self._rows.count()
        known = self._before + len(self._found)
        if self._found and (known > COUNTED or not self._goes_on):
            return known
        most = max(COUNTED, self._before) + 1
        return self._before - self._skipped + self._rows[:most].count()

    @property
    def has_uncounted(self) -> bool:
        return not self._in_full and self._goes_on and self.count > COUNTED

    @property
    def count_shown(self) -> str:
        """How many rows there are, in the words of a page: 12, or 1,000+."""
        if not self.has_uncounted:
            return number_format(self.count)
        return f"{number_format(COUNTED, force_grouping=True)}+"

    def _get_page(self, rows: Any, number: int, paginator: Any) -> Page[Any]:
        if number == self._asked:
            rows = self._found[: self.per_page]
        return Page(rows, number, self)


def page_of(
    rows: QuerySet[Any],
    per_page: int,
    number: str | None,
    *,
    in_full: bool = False,
    begins_here: bool = False,
) -> Page[Any]:
    """Return the page of this number, the first for none; the last one for one too high."""
    pages = Pages(rows, per_page, number=number, in_full=in_full, begins_here=begins_here)
    return pages.get_page(number)


def _asked(number: str | None) -> int:
    with suppress(ValueError):
        return max(1, min(int(number or 1), HIGHEST_PAGE))
    return 1
