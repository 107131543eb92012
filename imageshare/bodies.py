"""A form arrives whole before anything looks at it, or nothing is done.

Otherwise a field that a broken connection cut off would count as left out: without `ends_at` an
image is shared without an end, without `recipients` with nobody.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from accounts.web.answers import refusal
from gallery.multipart import CutShort
from imageshare.middleware import Next, stated_length

MULTIPART, URL_ENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


class WholeBodyMiddleware:
    """Reads the body of every post, whichever view it is for, before that view or the check of
    the CSRF token does.

    Refuses one without a stated length, since that alone says whether it is whole (WSGI ends a
    body where the client closes); one that is no form, since its fields would count as left out;
    and one that is not whole. What is over a cap is raised (gallery/uploads.py), for Django to
    answer.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *arguments: Any
    ) -> HttpResponse | None:
        if request.method != "POST":
            return None
        if "HTTP_TRANSFER_ENCODING" in request.META:
            sentence = _(
                "This request does not say how long it is (Content-Length). Nothing was changed."
            )
            return refusal(request, 411, "length_required", sentence)
        length = stated_length(request)
        charset = (request.content_params or {}).get("charset", "utf-8")
        is_form = request.content_type in (MULTIPART, URL_ENCODED) and charset.lower() == "utf-8"
        if length and not is_form:
            sentence = _("This page expects a form, and this is not one. Nothing was changed.")
            return refusal(request, 415, "not_a_form", sentence)
        try:
            if request.content_type == MULTIPART and length:
                request.POST.keys()  # read here: gallery/multipart.py counts the bytes
            elif request.content_type == MULTIPART or len(request.body) != length:
                raise CutShort("the body ends too early")
        except (CutShort, UnreadablePostError):
            sentence = _("This request broke off on its way. Nothing was changed. Send it again.")
            return refusal(request, 400, "cut_short", sentence)
        except MultiPartParserError:
            sentence = _("We could not read all of this request. Nothing was changed.")
            return refusal(request, 400, "bad_request", sentence)
        return None
