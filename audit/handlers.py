"""The logging handler through which every event reaches table and file."""

import logging
from typing import TYPE_CHECKING

from django.db import Error

from audit.events import AuditUnavailable, Pending, alarm

if TYPE_CHECKING:
    from audit.file import Line
    from audit.models import AuditEntry


class AuditHandler(logging.Handler):
    """Adds one entry to the table, then one line to the file.

    The table goes first, because it gives the entry its number. Either sink suffices; a missing
    one raises the alarm. With both away it raises AuditUnavailable, so that nothing happens
    unrecorded.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the handler's lock: a table that keeps one thread waiting must not keep all.
        # Without filters: nobody is to configure an event away.
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        entry: Pending = record.audit  # type: ignore[attr-defined]
        # Imported here: logging is configured before the apps are loaded.
        from audit.file import Line

        row = _add_to_table(entry)
        line = Line.of_entry(row) if row else Line.without_table(entry.leaf)
        in_file = _add_to_file(line)
        if row is None and not in_file:
            raise AuditUnavailable
        entry.written, entry.in_table = True, row is not None


def _add_to_table(entry: Pending) -> "AuditEntry | None":
    from audit import table

    try:
        return table.append(entry.leaf, entry.told, entry.personal)
    except Error as error:
        alarm.critical("The audit table took no entry (%s).", type(error).__name__)
        table.recover_connection()
        return None


def _add_to_file(line: "Line") -> bool:
    from audit import file

    try:
        file.append(line)
    except OSError as error:
        alarm.critical("The audit file took no line (%s).", type(error).__name__)
        return False
    return True
