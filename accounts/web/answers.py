"""How a view answers a person and a script alike: a page, or the same facts as JSON."""

from collections.abc import Mapping
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

TITLES = {
    401: _("Locked"),
    403: _("Not allowed"),
    404: _("Nothing here"),
    405: _("Nothing to open here"),
    409: _("Not ready yet"),
    410: _("Access ended"),
    413: _("Too much at once"),
    415: _("Not a form"),
    429: _("Too many tries"),
    500: _("Something went wrong"),
    503: _("Busy for a moment"),
}


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def refusal(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    *,
    template: str = "refusal.html",
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return a refusal as JSON when asked for, otherwise as a page.

    `code` is stable, `message` a sentence for a person.
    """
    if wants_json(request):
        return JsonResponse(refusal_json(code, message), status=status)
    title = TITLES.get(status, _("That did not work"))
    shown = {"message": message, "title": title, "status": status, **(context or {})}
    return render(request, template, shown, status=status)


def refusal_json(code: str, message: str) -> dict[str, Any]:
    errors = {"__all__": [{"code": code, "message": message}]}
    return {"code": code, "message": message, "errors": errors}


def form_refusal(
    request: HttpRequest, form: BaseForm, template: str, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Return 422 with what is wrong in each field."""
    if wants_json(request):
        return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    return render(request, template, {"form": form, **(context or {})}, status=422)
