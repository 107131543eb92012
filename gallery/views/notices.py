"""Notices, each checked before it is shown."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery.notice_lines import lines_of, notice_line
from gallery.services import inbox
from gallery.views.common import releases
from gallery.views.tables import number_asked_for


@require_safe
@signed_in
def activity(request: PersonRequest) -> HttpResponse:
    number = request.GET.get("page")
    if wants_json(request):
        read = inbox.read_notices(request.user, number, in_full=True)
        shown = [notice_line(notice) for notice in read.notices]
        pages = {"page": read.page.number, "pages": read.page.paginator.num_pages}
        return JsonResponse({"notices": shown, **pages})
    read = inbox.read_notices(request.user, number, before=number_asked_for(request))
    begins = f"&before={read.page.object_list[-1].sequence}" if read.page.has_next() else ""
    context = {"notices": lines_of(read.notices), "page_obj": read.page, "from": begins}
    response = render(request, "gallery/activity.html", context)
    if releases(request):
        inbox.mark_read(request.user, read)
    return response
