"""Lists as tables to keep: CSV, which a spreadsheet opens and takes for nothing else."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from django.http import StreamingHttpResponse
from django.utils import timezone

# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, name: str
) -> StreamingHttpResponse:
    """Answer with all of it. What people chose themselves is quoted, so that no spreadsheet takes
    it for a formula."""

    def lines() -> Iterator[str]:
        yield ",".join(columns) + "\r\n"
        for row in rows:
            line = StringIO()
            cells = [f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in row]
            csv.writer(line).writerow(cells)
            yield line.getvalue()

    file_name = f"{name}-{timezone.localdate().isoformat()}.csv"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Cache-Control": "private, no-store",
        },
    )
