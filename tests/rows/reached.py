"""Which pages and acts a change of one row can reach at all.

What asks of a database gets the same answers goes the same way, and ends the same: so only those
are asked again to one of whose questions the database now says something else, or which write
where it was changed. Asking the database is a hundred times quicker than asking for the page.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import Error, connection, models, transaction

Question = tuple[str, tuple[Any, ...]]
CHANGES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)')


@dataclass(frozen=True)
class Asked:
    """What a page or an act asked of the main database, and the tables that it wrote in."""

    questions: tuple[Question, ...]
    written: frozenset[str]


class Reach:
    """Remembers what everything asks in a world without a change, and what it is told there."""

    def __init__(self) -> None:
        self._asked: dict[str, Asked] = {}
        self._told: dict[Question, Any] = {}

    def learn(self, what: str, do: Callable[[], Any], put_back: Callable[[], None]) -> None:
        """Unless it is known, do this once, and put back the world as it was before."""
        if what in self._asked:
            return
        asked: list[Question] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            asked.append((sql, tuple(params or ())))
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(note):
                do()
        finally:
            put_back()
        questions = tuple(one for one in asked if one[0].startswith("SELECT"))
        changes = filter(None, (CHANGES.match(sql) for sql, _ in asked))
        self._asked[what] = Asked(questions, frozenset(one[1] for one in changes))
        self._told |= {one: told(one) for one in questions}

    def after(self, model: type[models.Model]) -> "Reached":
        """Return what is reached once a row of this table was changed, and nothing else."""
        return Reached(self._asked, self._told, model._meta.db_table)

    def now(self) -> "Reached":
        """Return what is reached whatever was changed since."""
        return Reached(self._asked, self._told)


class Reached:
    """What a change, in one table or anywhere, reaches as the database stands now."""

    def __init__(
        self, asked: dict[str, Asked], before: dict[Question, Any], table: str = ""
    ) -> None:
        self._asked, self._before, self._table = asked, before, table
        self._differs: dict[Question, bool] = {}

    def __contains__(self, what: str) -> bool:
        asked = self._asked[what]
        if self._table in asked.written:
            return True
        mine = [one for one in asked.questions if not self._table or self._table in words(one)]
        return any(self._is_another(one, asked.written) for one in mine)

    def _is_another(self, question: Question, written: frozenset[str]) -> bool:
        """Whether the answer is another one, or depends on what is written before, too."""
        if self._table and not written.isdisjoint(words(question)):
            return True
        if question not in self._differs:
            self._differs[question] = told(question) != self._before[question]
        return self._differs[question]


def words(question: Question) -> set[str]:
    return set(re.findall(r"\w+", question[0]))


def told(question: Question) -> Any:
    """Return the rows, as they are kept; an answer that does not come is one, too."""
    sql, params = question
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
    except (Error, ValueError) as error:
        return type(error)
