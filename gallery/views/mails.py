"""How often somebody gets mails about their notices."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.mail import sends_mail
from accounts.web.answers import form_refusal, wants_json
from accounts.web.decorators import signed_in
from accounts.web.requests import PersonRequest
from gallery.forms import NoticesForm
from gallery.models import NoticeChoice
from gallery.services.mailing import choose


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mails(request: PersonRequest) -> HttpResponse:
    choice = NoticeChoice.objects.filter(person=request.user).first()
    choice = choice or NoticeChoice(person=request.user)
    chosen = {"how": choice.how, "first_openings": choice.first_openings}
    page = {"sends_mail": sends_mail()}
    if request.method != "POST":
        if wants_json(request):
            return JsonResponse(chosen)
        form = NoticesForm(initial=chosen)
        return render(request, "gallery/mails.html", {"form": form, **page})
    form = NoticesForm(request.POST)
    if not form.is_valid():
        return form_refusal(request, form, "gallery/mails.html", page)
    choose(person=request.user, **form.cleaned_data)
    if wants_json(request):
        return JsonResponse(form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("gallery:activity")
