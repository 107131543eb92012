"""What a person did with images themselves: a page, JSON, and a table to keep."""

import csv
from collections.abc import Iterator
from io import StringIO

from django.http import HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.keys.names import Name
from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery import presenting
from gallery.own_activity import FILTERS, Deed, all_deeds_of, deeds_of

COLUMNS = ("time", "event", "image", "owner", "owner_name", "reader", "reader_name", "album")
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@require_safe
@signed_in
def own_activity(request: PersonRequest) -> HttpResponseBase:
    asked = request.GET.get("what", "")
    only = asked if asked in FILTERS else ""
    if request.GET.get("format") == "csv":
        return _as_csv(request, only)
    number = request.GET.get("before", "")
    before = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    deeds, following = deeds_of(request.user, only=only, before=before)
    if wants_json(request):
        acts = [dict(zip(COLUMNS, _row(deed), strict=True)) for deed in deeds]
        return JsonResponse({"acts": acts, "before": following})
    shown = [
        {
            "sentence": deed.sentence,
            "time": deed.time,
            "address": None if deed.is_deleted else _address_of(deed),
        }
        for deed in deeds
        if deed.image_id or deed.album_id
    ]
    context = {"deeds": shown, "only": only, "following": following, "is_first": before is None}
    return render(request, "gallery/own_activity.html", context)


def _address_of(deed: Deed) -> str | None:
    if deed.image_id:
        return presenting.address("image", deed.image_id)
    return presenting.address("album", deed.album_id) if deed.album_id else None


def _row(deed: Deed) -> tuple[str, ...]:
    image, album = str(deed.image_id or ""), str(deed.album_id or "")
    names = *_names(deed.owner), *_names(deed.reader)
    return deed.time.isoformat(), deed.event.value, image, *names, album


def _names(name: Name | None) -> tuple[str, str]:
    return (name.username or "", name.display_name) if name else ("", "")


def _as_csv(request: PersonRequest, only: str) -> StreamingHttpResponse:
    """Answer with all of it. What people chose themselves is quoted, so that no spreadsheet takes
    it for a formula."""

    def lines() -> Iterator[str]:
        yield ",".join(COLUMNS) + "\r\n"
        for deed in deeds:
            line = StringIO()
            cells = [f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in _row(deed)]
            csv.writer(line).writerow(cells)
            yield line.getvalue()

    # Before the answer begins: without the trail it is a refusal, and no table that looks whole.
    deeds = list(all_deeds_of(request.user, only=only))
    name = f"activity-{timezone.localdate().isoformat()}.csv"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
