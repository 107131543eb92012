"""Gives every request an id and remembers where it came from."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.context import (
    AGENT_CHARACTERS,
    RequestContext,
    client_network,
    current_request,
    printable,
)


class RequestContextMiddleware:
    """Stands first, so that what the others refuse is recorded with a request id, too.

    The id is ours, never the client's: one taken from outside could be another request's. The
    answer names it (`X-Request-ID`), so that a person can quote it and staff can search for it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context = context_of(request)
        token = current_request.set(context)
        try:
            response = self.get_response(request)
        finally:
            current_request.reset(token)
        response.headers["X-Request-ID"] = context.request_id
        return response


def context_of(request: HttpRequest) -> RequestContext:
    return RequestContext(
        request_id=uuid.uuid4().hex,
        address=client_network(request),
        agent=printable(request.META.get("HTTP_USER_AGENT", ""), AGENT_CHARACTERS),
    )
