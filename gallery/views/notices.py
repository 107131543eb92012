"""Notices, each checked before it is shown."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.answers import wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery import presenting
from gallery.services import inbox
from gallery.views.common import releases


@require_safe
@signed_in
def activity(request: PersonRequest) -> HttpResponse:
    read = inbox.read_notices(request.user, request.GET.get("page"))
    shown = [presenting.notice(notice) for notice in read.notices]
    if wants_json(request):
        pages = {"page": read.page.number, "pages": read.page.paginator.num_pages}
        return JsonResponse({"notices": shown, **pages})
    response = render(request, "gallery/activity.html", {"notices": shown, "page_obj": read.page})
    if releases(request):
        inbox.mark_read(request.user, read)
    return response
