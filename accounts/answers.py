"""How a view answers a person and a script alike: a page, or the same facts as JSON."""

from collections.abc import Mapping
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

PAGES = {400, 403, 404, 405, 413, 429, 500, 503}


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def refusal(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    *,
    template: str | None = None,
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return a refusal as JSON when asked for, else as the page of that status.

    `code` is stable, `message` a sentence for a person.
    """
    if wants_json(request):
        errors = {"__all__": [{"code": code, "message": message}]}
        return JsonResponse({"code": code, "message": message, "errors": errors}, status=status)
    context = {"message": message, "code": code, **(context or {})}
    return render(request, template or f"{status}.html", context, status=status)


def form_refusal(
    request: HttpRequest, form: BaseForm, template: str, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Return 422 with what is wrong in each field."""
    if wants_json(request):
        return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    return render(request, template, {"form": form, **(context or {})}, status=422)
