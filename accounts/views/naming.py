"""One's own display name: changing it, and having it certified."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import forms, throttle
from accounts.keys.names import certified_name
from accounts.services.people.naming import NameRefused, change_display_name
from accounts.views.common import posted
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import unlocked
from accounts.web.requests import PersonRequest, open_keys

CHANGES_PER_HOUR = 10  # each stays in the trail


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def name(request: PersonRequest) -> HttpResponse:
    if request.method != "POST":
        form = forms.NameForm(initial={"display_name": str(request.user)})
        return render(request, "accounts/name.html", {"form": form, **_page(request)})
    form = forms.NameForm(posted(request))
    if form.is_valid():
        throttle.count("name", str(request.user.pk), limit=CHANGES_PER_HOUR)
        try:
            keyring, display_name = open_keys(request), form.cleaned_data["display_name"]
            change_display_name(keyring=keyring, display_name=display_name)
        except NameRefused:
            sentence = _(
                "Your name cannot be certified: your username or your key is not as this site "
                "certified it. Nothing was changed. Tell staff: somebody may have changed the "
                "database."
            )
            form.add_error(None, ValidationError(sentence, code="name_refused"))
    if form.errors:
        return form_refusal(request, form, "accounts/name.html", _page(request))
    if wants_json(request):
        return JsonResponse({"display_name": form.cleaned_data["display_name"]})
    messages.success(request, _("Your name is changed, and certified with your key."))
    return redirect("accounts:security")


def _page(request: PersonRequest) -> dict[str, bool]:
    return {"is_certified": certified_name(request.user).is_certified}
